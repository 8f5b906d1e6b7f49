"""What Coinbase's answers mean for us: by HTTP status, and by the words of a refusal with status 200."""

from typing import Any

from trading.engine.errors import NotSent, OutcomeUnknown, Refused
from trading.exchanges import failures
from trading.exchanges.failures import FAILS, NoAnswer, Unreached

__all__ = ["FAILS", "ApiError", "NoAnswer", "Unreached", "http_error", "outcome_of", "refusal"]

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY, SERVER = 401, 403, 404, 429, 500
OK = 200
# After these an order was certainly not placed, and may be tried again later.
LATER = (
    "COMMANDER_REJECTED_NEW_ORDER",
    "ORDER_ENTRY_DISABLED",
    "PRODUCT_TRADING_HALTED",
    "RATE_LIMIT_EXCEEDED",
)
# After these one may rest: by its id, or for no reason that is told.
UNCLEAR = ("DUPLICATE_CLIENT_ORDER_ID", "UNKNOWN_FAILURE_REASON")
NO_REASON = ("", "UNKNOWN_FAILURE_REASON", "PREVIEW_UNKNOWN", "UNKNOWN_PREVIEW_FAILURE_REASON")


class ApiError(failures.ApiError):
    """Coinbase said no, by an HTTP status or in the answer."""

    def __init__(self, words: str, *, status: int = OK, wait_seconds: float = 0.0) -> None:
        super().__init__(words)
        self.status, self.wait_seconds = status, wait_seconds


def http_error(status: int, told: Any, *, wait_seconds: float = 0.0) -> Exception:
    """The error of an answer that is not 200; ``told`` is its JSON or its text."""
    words = _words(told) or f"HTTP {status}"
    if status >= SERVER or status < 400:
        return NoAnswer(f"Coinbase answered HTTP {status}")
    return ApiError(words, status=status, wait_seconds=wait_seconds)


def _words(told: Any) -> str:
    """Each of the shapes in which Coinbase tells an error."""
    if isinstance(told, str):
        return told.strip()[:200]
    if not isinstance(told, dict):
        return ""
    several = told.get("errors")
    if isinstance(several, list) and several and isinstance(several[0], dict):
        told = {"error": several[0].get("id"), **several[0]}
    parts = [str(told[name]) for name in ("error", "error_details", "message") if told.get(name)]
    return ": ".join(dict.fromkeys(parts))[:200]


def refusal(told: Any) -> ApiError:
    """The error of an order's answer with ``success`` false."""
    given = told.get("error_response") if isinstance(told, dict) else None
    facts = given if isinstance(given, dict) else {}
    names = ("new_order_failure_reason", "preview_failure_reason", "error")
    reasons = [str(facts.get(name) or "") for name in names]
    reason = next((one for one in reasons if one not in NO_REASON), "UNKNOWN_FAILURE_REASON")
    message = str(facts.get("message") or facts.get("error_details") or "")
    return ApiError(f"{reason}: {message}"[:200] if message else reason)


def outcome_of(error: Exception) -> Exception:
    """What a failed order request is for the engine."""
    if isinstance(error, Unreached):
        return NotSent(str(error))
    if isinstance(error, ApiError):
        if error.status == TOO_MANY or error.words.startswith(LATER):
            return NotSent(error.words)
        if error.words.startswith(UNCLEAR):
            return OutcomeUnknown(error.words)
        return Refused(error.words)
    return OutcomeUnknown(str(error) or type(error).__name__)
