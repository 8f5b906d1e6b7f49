"""An engine looks for its commands four times a second: one statement, in its own workspace alone."""

import asyncio
from datetime import timedelta

import pytest
from django.db import connection

from tenants.scoping import tenant_scope
from tests.factories import NOW, EngineRows, make_engine, make_instrument
from trading import operations
from trading.core import explain
from trading.ledger.inbox import CommandInbox
from trading.ledger.writer import DjangoLedger


@pytest.fixture
def engines(fresh_database) -> list[EngineRows]:
    instrument = make_instrument()
    return [make_engine(name, instrument, venue="synthetic") for name in ("acme", "other")]


def pause(engine: EngineRows, reason: str, *, second: int) -> None:
    at = NOW + timedelta(seconds=second)
    with tenant_scope(engine.tenant_id):
        operations.pause_engine(
            engine_id=engine.engine_id, actor=None, reason=reason, idempotency_key=reason, now=at
        )


@pytest.fixture
def ledger(engines: list[EngineRows]) -> DjangoLedger:
    return DjangoLedger(
        tenant_id=str(engines[0].tenant_id),
        engine_id=str(engines[0].engine_id),
        account_id=str(engines[0].account_id),
        specs=(),
        epoch=lambda: 1,
        decision_dtype=explain.DECISION,
        core_hash="0" * 16,
        layout_hash="",
        longest_pause_seconds=10.0,
    )


async def reasons(ledger: DjangoLedger, engine: EngineRows) -> list[str]:
    inbox = CommandInbox(ledger=ledger, engine_id=str(engine.engine_id))
    return [command.reason for command in await inbox.unfinished()]


def test_commands_of_this_engine_are_found_also_over_another_connection(
    engines: list[EngineRows], ledger: DjangoLedger
) -> None:
    mine, others = engines
    told = ((mine, "first"), (others, "theirs"), (mine, "second"))
    for second, (engine, reason) in enumerate(told):
        pause(engine, reason, second=second)

    async def look() -> None:
        assert await reasons(ledger, mine) == ["first", "second"]
        assert await reasons(ledger, others) == []
        await ledger.call(lambda: None)
        assert await reasons(ledger, mine) == ["first", "second"]
        await ledger._on_thread(lambda: connection.close())
        assert await reasons(ledger, mine) == ["first", "second"]
        await ledger.close()

    asyncio.run(look())
