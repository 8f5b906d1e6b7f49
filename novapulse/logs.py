"""Structured log set-up: JSON lines with tenant and engine context, secrets redacted."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# What the name of a secret contains.
SENSITIVE = (
    r"pass(?:word|wd|phrase|code)|(?<![a-z])pass(?![a-z])|(?<![a-z])t?otp(?![a-z])|secret|token"
    r"|api[_-]?key|api[_-]?sign|access[_-]?key|authorization|cookie|credential|private|signature"
    r"|csrf|session_?(?:id|key)"
)
SECRET_NAME = re.compile(SENSITIVE, re.I)
SECRET_VALUE = re.compile(
    # The password of an address.
    r"(?P<keep>\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@]*:)[^\s/]+(?=@)"
    # name=value and "name": "value" in free text, as in a connection string or a printed mapping.
    rf"|(?P<name>(?:{SENSITIVE})[\w-]{{0,40}}[\"']?\s{{0,3}}[=:]\s{{0,3}})"
    r"(?:\"[^\"]*\"|'[^']*'|(?:Bearer|Basic)\s+\S+|[^\s,;&)}\]]+)"
    # Keys that tell themselves: Stripe, JSON web tokens, Telegram bots, headers, private keys.
    r"|\b(?:(?:sk|pk|rk)_(?:test|live)|whsec)_[A-Za-z0-9]+"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|\b\d{8,10}:[\w-]{30,}"
    r"|\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.I,
)
REDACTED = "[redacted]"


def redact_text(text: str) -> str:
    """Blank out what looks like a secret inside free text (URLs, bearer tokens, private keys)."""
    return SECRET_VALUE.sub(lambda m: f"{m['keep'] or m['name'] or ''}{REDACTED}", text)


def _redact(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {str(key): _redact(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact(name, item) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    return redact_text(str(value))


def redact_event(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """structlog processor: no secret leaves in a log line, whatever field it hides in."""
    # Names with an underscore are structlog's own and never rendered.
    return {
        key: value if key.startswith("_") else _redact(key, value) for key, value in event.items()
    }


PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    redact_event,
]


def configure(*, level: str) -> None:
    """Send structlog and the standard library's loggers to standard error as JSON lines.

    Tracebacks are plain text without local variables: locals hold keys.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=PROCESSORS,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in (
        "daphne",
        "numba",
        "httpx",
        "httpcore",
        "asyncio",
        "django.utils.autoreload",
        "kombu",
        "amqp",
    ):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[*PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
