"""The core's memory as rows: every commit's own part, and what it changed of the markets."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import psycopg
from django.db import connection
from django.utils import timezone

from trading.engine.batches import MarketMemory, Snapshot
from trading.ledger import words
from trading.ledger.memory import Brought, JournaledMemory, MarketChange, fold
from trading.models import EngineSnapshot, MarketChanges, MarketSnapshot

# All are sent with their values apart, as bytes: quoted into the statement they would be twice as long.
SAVE = """
    INSERT INTO trading_enginesnapshot (tenant_id, engine_id, sequence, core_hash, layout_hash,
                                        account, venue, portable, saved_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (engine_id) DO UPDATE
    SET sequence = excluded.sequence, core_hash = excluded.core_hash,
        layout_hash = excluded.layout_hash, account = excluded.account, venue = excluded.venue,
        portable = excluded.portable, saved_at = excluded.saved_at
"""
SAVE_CHANGES = """
    INSERT INTO trading_marketchanges (tenant_id, engine_id, number, changes)
    VALUES (%s, %s, %s, %s)
"""
SAVE_MARKETS = """
    INSERT INTO trading_marketsnapshot (tenant_id, engine_id, market, sequence, number, record,
                                        portable)
    SELECT %s::uuid, %s::uuid, whole.market, %s::bigint, %s::bigint, whole.record, whole.portable
    FROM unnest(%s::int[], %s::bytea[], %s::bytea[]) AS whole (market, record, portable)
    ON CONFLICT (tenant_id, engine_id, market) DO UPDATE
    SET sequence = excluded.sequence, number = excluded.number, record = excluded.record,
        portable = excluded.portable
"""
FORGET_CHANGES = """
    DELETE FROM trading_marketchanges WHERE tenant_id = %s AND engine_id = %s AND number <= %s
"""
NOTHING = b""
AT_ONCE = 16  # rows: they may be long
CHANGES = msgspec.msgpack.Decoder(list[MarketChange])


@dataclass(frozen=True, slots=True)
class SnapshotOwner:
    """Whose memory it is, and what it can be read with."""

    tenant_id: str
    engine_id: str
    core_hash: str
    layout_hash: str


def save_snapshot(owner: SnapshotOwner, snapshot: Snapshot, brought: Brought) -> None:
    """Write what a commit brings; a market that it does not bring stays as it was written."""
    whose = (owner.tenant_id, owner.engine_id)
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            SAVE,
            [
                *(*whose, snapshot.sequence),
                *(owner.core_hash, owner.layout_hash),
                *(snapshot.account, snapshot.venue, snapshot.portable, timezone.now()),
            ],
        )
        if brought.changes:
            told = msgspec.msgpack.encode(brought.changes)
            cursor.execute(SAVE_CHANGES, [*whose, brought.number, told])
        if brought.whole:
            columns = _columns(brought.whole)
            cursor.execute(SAVE_MARKETS, [*whose, snapshot.sequence, brought.number, *columns])
            cursor.execute(FORGET_CHANGES, [*whose, brought.needless])


def _columns(markets: Sequence[MarketMemory]) -> tuple[list[int], list[bytes], list[bytes]]:
    return (
        [one.market for one in markets],
        [words.difference(NOTHING, one.record) for one in markets],
        [one.portable for one in markets],
    )


def read_memory(engine_id: str) -> JournaledMemory:
    """An engine's markets as last committed: whole records, and every change since."""
    whole = MarketSnapshot.objects.filter(engine_id=engine_id).order_by("market", "id")
    changes = MarketChanges.objects.filter(engine_id=engine_id).order_by("number", "id")
    return fold(
        ((row.number, _memory_of(row)) for row in whole.iterator(chunk_size=AT_ONCE)),
        ((row.number, CHANGES.decode(row.changes)) for row in changes.iterator(chunk_size=AT_ONCE)),
    )


def _memory_of(row: MarketSnapshot) -> MarketMemory:
    record = words.apply(NOTHING, bytes(row.record))
    return MarketMemory(row.market, record, bytes(row.portable))


def read_snapshot(saved: EngineSnapshot, markets: Sequence[MarketMemory]) -> Snapshot:
    """An engine's memory with all of its markets."""
    return Snapshot(
        sequence=saved.sequence,
        markets=tuple(markets),
        account=bytes(saved.account),
        venue=bytes(saved.venue),
        portable=bytes(saved.portable),
    )
