"""What Kraken's answers mean for us, by their first words."""

from trading.engine.errors import NotSent, OutcomeUnknown, Refused
from trading.exchanges import failures
from trading.exchanges.failures import FAILS, NoAnswer, Unreached

__all__ = ["FAILS", "ApiError", "NoAnswer", "Unreached", "outcome_of"]

BAD_TOKEN = ("EAPI:Invalid token", "ESession:Invalid session", "Token(s) not found")
# After these the action may have happened all the same.
UNCLEAR = (
    "EService:Unavailable",
    "EService:Busy",
    "EService:Timeout",
    "EService:Deadline elapsed",
    "EDatabase:",
    "EGeneral:Internal error",
)
# After these it certainly has not, and may be tried again later.
LATER = (
    "EAPI:Rate limit exceeded",
    "EGeneral:Too many requests",
    "EOrder:Rate limit exceeded",
    "EOrder:Domain rate limit exceeded",
    "EService:Throttled",
    "EAPI:Invalid nonce",
    *BAD_TOKEN,
)
GONE = ("EOrder:Unknown order", "EOrder:Invalid order")


class ApiError(failures.ApiError):
    """Kraken answered with an error."""

    @property
    def is_gone(self) -> bool:
        """Whether it says that the order is not working (any more)."""
        return self.words.startswith(GONE)


def outcome_of(error: Exception) -> Exception:
    """What a failed order request is for the engine."""
    if isinstance(error, Unreached):
        return NotSent(str(error))
    if isinstance(error, ApiError):
        if error.words.startswith(UNCLEAR):
            return OutcomeUnknown(error.words)
        return NotSent(error.words) if error.words.startswith(LATER) else Refused(error.words)
    return OutcomeUnknown(str(error) or type(error).__name__)
