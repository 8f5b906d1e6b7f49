"""The core's memory as rows: every commit's own part, and each market where it changed."""

from dataclasses import dataclass

import psycopg
from django.db import connection
from django.utils import timezone

from trading.engine.batches import MarketMemory, Snapshot
from trading.models import EngineSnapshot, MarketSnapshot

# Both are sent with their values apart, as bytes: quoted into the statement they would be twice as long.
SAVE = """
    INSERT INTO trading_enginesnapshot (tenant_id, engine_id, sequence, core_hash, layout_hash,
                                        account, venue, portable, saved_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (engine_id) DO UPDATE
    SET sequence = excluded.sequence, core_hash = excluded.core_hash,
        layout_hash = excluded.layout_hash, account = excluded.account, venue = excluded.venue,
        portable = excluded.portable, saved_at = excluded.saved_at
"""
SAVE_MARKETS = """
    INSERT INTO trading_marketsnapshot (tenant_id, engine_id, market, sequence, record, portable)
    SELECT %s::uuid, %s::uuid, changed.market, %s::bigint, changed.record, changed.portable
    FROM unnest(%s::int[], %s::bytea[], %s::bytea[]) AS changed (market, record, portable)
    ON CONFLICT (tenant_id, engine_id, market) DO UPDATE
    SET sequence = excluded.sequence, record = excluded.record, portable = excluded.portable
"""


@dataclass(frozen=True, slots=True)
class SnapshotOwner:
    """Whose memory it is, and what it can be read with."""

    tenant_id: str
    engine_id: str
    core_hash: str
    layout_hash: str


def save_snapshot(owner: SnapshotOwner, snapshot: Snapshot) -> None:
    """Write what a commit brings; a market that it does not bring stays as it was written."""
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            SAVE,
            [
                *(owner.tenant_id, owner.engine_id, snapshot.sequence),
                *(owner.core_hash, owner.layout_hash),
                *(snapshot.account, snapshot.venue, snapshot.portable, timezone.now()),
            ],
        )
        if snapshot.markets:
            cursor.execute(
                SAVE_MARKETS,
                [
                    *(owner.tenant_id, owner.engine_id, snapshot.sequence),
                    [one.market for one in snapshot.markets],
                    [one.record for one in snapshot.markets],
                    [one.portable for one in snapshot.markets],
                ],
            )


def read_snapshot(saved: EngineSnapshot) -> Snapshot:
    """An engine's memory with all of its markets."""
    markets = MarketSnapshot.objects.filter(engine_id=saved.engine_id).order_by("market", "id")
    return Snapshot(
        sequence=saved.sequence,
        markets=tuple(
            MarketMemory(one.market, bytes(one.record), bytes(one.portable)) for one in markets
        ),
        account=bytes(saved.account),
        venue=bytes(saved.venue),
        portable=bytes(saved.portable),
    )
