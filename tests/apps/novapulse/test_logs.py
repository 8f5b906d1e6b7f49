"""No secret leaves in a log line; every line says whose it is."""

import io
import json
import logging
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
import structlog
from pydantic import SecretStr

from novapulse import logs

CANARY = "Hq7-canary-9Zx"


@pytest.fixture
def lines(monkeypatch) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.configure(level="INFO")
    yield stream
    root.handlers[:], root.level = before
    structlog.contextvars.clear_contextvars()


def _only(stream: io.StringIO) -> dict[str, object]:
    (line,) = stream.getvalue().splitlines()
    return json.loads(line)


@dataclass
class Letter:
    password: str


@pytest.mark.parametrize(
    "fields",
    [
        {"password": CANARY},
        {"api_key": CANARY},
        {"API-Sign": CANARY},
        {"headers": {"Authorization": CANARY, "Cookie": CANARY}},
        {"nested": [{"deep": {"client_secret": CANARY}}]},
        {"tokens": [CANARY]},
        {"session_key": CANARY},
        {"address": f"postgresql://novapulse:{CANARY}@host/name"},
        {"address": f"postgresql://novapulse:with@{CANARY}@host/name"},
        {"address": f"redis://:{CANARY}@host:6379/0"},
        {"detail": f"connection failed: host=db user=me password={CANARY} dbname=x"},
        {"detail": f"sent {{'api_key': '{CANARY}', 'pair': 'BTC/USD'}}"},
        {"detail": f'sent {{"secret": "{CANARY}"}}'},
        {"detail": f"GET /hook?token={CANARY}&x=1"},
        {"detail": f"Authorization: Bearer {CANARY}"},
        {"detail": f"bearer {CANARY}"},
        {"detail": f"-----BEGIN EC PRIVATE KEY-----\n{CANARY}\n-----END EC PRIVATE KEY-----"},
        {"detail": f"-----BEGIN PRIVATE KEY-----\n{CANARY}"},
        {"error": ValueError(f"password={CANARY}")},
        {"thing": Letter(CANARY)},
        {"value": SecretStr(CANARY)},
        {"body": CANARY.encode()},
    ],
)
def test_a_secret_is_blanked_out_wherever_it_hides(lines, fields):
    structlog.get_logger("engine").info("sent", **fields)

    assert CANARY not in lines.getvalue()
    assert _only(lines)["event"] == "sent"


@pytest.mark.parametrize(
    "secret",
    [
        "sk_live_51Habc123",
        "whsec_abc123DEF",
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln",
        "123456789:AAF-abcdefghijklmnopqrstuvwxyz01234",
    ],
)
def test_keys_that_tell_themselves_are_blanked_out_in_text(secret):
    assert secret not in logs.redact_text(f"answer to {secret} was no")


def test_the_standard_librarys_loggers_are_redacted_too(lines):
    logging.getLogger("somebody.elses").warning("login with password=%s failed", CANARY)

    line = _only(lines)
    assert CANARY not in json.dumps(line)
    assert line["event"] == "login with password=[redacted] failed"
    assert line["level"] == "warning"


@pytest.mark.parametrize("logger", [structlog.get_logger("ours"), logging.getLogger("theirs")])
def test_a_traceback_carries_no_locals_and_no_secret(lines, logger):
    def fail(kept: str) -> None:
        raise RuntimeError(f"cannot open postgresql://me:{kept}@host/name")

    try:
        fail(CANARY)
    except RuntimeError:
        logger.exception("failed")

    line = _only(lines)
    assert "RuntimeError" in str(line["exception"])
    assert "in fail" in str(line["exception"])
    assert CANARY not in json.dumps(line)


def test_a_line_break_in_a_value_cannot_fake_a_line(lines):
    structlog.get_logger().info("signed in", email='a@b.example\n{"event": "forged"}')

    assert len(lines.getvalue().splitlines()) == 1


def test_what_is_no_secret_stays_readable(lines):
    identity = uuid.UUID(int=7)

    structlog.get_logger().info("filled", quantity=Decimal("0.5"), order=identity, epoch=3, ok=True)

    line = _only(lines)
    assert line["quantity"] == "0.5"
    assert line["order"] == str(identity)
    assert (line["epoch"], line["ok"]) == (3, True)


@pytest.mark.parametrize(
    "text", ["12 passed: all well", "options: 3", "footprint=small", "a/b:c@d"]
)
def test_ordinary_words_are_left_alone(text):
    assert logs.redact_text(text) == text


def test_a_long_hostile_text_is_read_in_no_time():
    started = time.perf_counter()

    for piece in ("a-", "password", "a://", "-----BEGIN PRIVATE KEY", "1234567890:", "x=", '"'):
        logs.redact_text(piece * (100_000 // len(piece)))

    assert time.perf_counter() - started < 5


def test_lines_carry_the_context_that_is_bound(lines):
    with structlog.contextvars.bound_contextvars(tenant="acme", user=7):
        logging.getLogger("django").warning("slow")

    assert {"tenant": "acme", "user": 7}.items() <= _only(lines).items()
