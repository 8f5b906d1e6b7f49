"""Decisions into the journal: one statement per batch, each linked to the one before."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection

from tenants import chain
from trading.engine.batches import DecisionRow
from trading.engine.messages import MarketSpec
from trading.ledger import rows

BODY = struct.Struct(">16sqqhh")
HEAD = """
    SELECT sequence, hash FROM trading_decision
    WHERE tenant_id = %s AND chain = %s ORDER BY sequence DESC LIMIT 1
"""
# Bytes travel as one value each and are cut apart by the server: an array of them is quoted byte by
# byte, which takes longer than everything else here together.
INSERT = """
    INSERT INTO trading_decision (tenant_id, core_hash, chain, sequence, revision_id, instrument_id,
                                  bar_opened_at, stage, reason, record, previous_hash, hash)
    SELECT %s, %s, %s, %s + new.number, new.revision, new.instrument,
           timestamptz 'epoch' + new.opened_us * interval '1 microsecond', new.stage, new.reason,
           substr(records.joined, new.start, new.size),
           substr(links.joined, (32 * new.number - 31)::int, 32),
           substr(links.joined, (32 * new.number + 1)::int, 32)
    FROM (SELECT %s::bytea AS joined) AS records, (SELECT %s::bytea AS joined) AS links,
         unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::smallint[], %s::smallint[],
                %s::int[], %s::int[])
         WITH ORDINALITY AS new (revision, instrument, opened_us, stage, reason, start, size, number)
"""


@dataclass(frozen=True, slots=True)
class DecisionChain:
    """The chain of one engine's decisions: whose it is, and which core decides."""

    tenant_id: str
    engine_id: str
    core_hash: str

    @property
    def prefix(self) -> bytes:
        """What the canonical bytes of all its decisions begin with."""
        return prefix(UUID(self.tenant_id), UUID(self.engine_id), self.core_hash)


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last entry of a chain."""

    sequence: int
    hash: bytes


def prefix(tenant_id: UUID, engine_id: UUID, core_hash: str) -> bytes:
    """Tenant, chain and core of a decision as canonical bytes."""
    told = core_hash.encode()
    return tenant_id.bytes + engine_id.bytes + bytes([len(told)]) + told


def body(
    revision_id: bytes, instrument_id: int, bar_opened_us: int, stage: int, reason: int
) -> bytes:
    """The rest of the canonical bytes before the record, which ends them."""
    return BODY.pack(revision_id, instrument_id, bar_opened_us, stage, reason)


def write_decisions(
    owner: DecisionChain,
    decisions: Sequence[DecisionRow],
    specs: Sequence[MarketSpec],
    dtype: np.dtype,
    head: ChainHead,
) -> None:
    """Append a batch behind ``head``; at full speed decisions are nearly all there is to write."""
    records = [row.record for row in decisions]
    decided = rows.decisions(records, dtype)
    revisions = [specs[row.market].revision_id for row in decisions]
    instruments = [specs[row.market].instrument_id for row in decisions]
    opened = (decided["bar_open_ns"] // 1000).tolist()
    stages, reasons = decided["stage"].tolist(), decided["reason"].tolist()
    sizes = [len(record) for record in records]
    starts = [1 + end - size for end, size in zip(accumulate(sizes), sizes, strict=True)]
    binary = {one: UUID(one).bytes for one in set(revisions)}
    start = owner.prefix
    links = [head.hash]
    for revision, instrument, opened_us, stage, reason, record in zip(
        revisions, instruments, opened, stages, reasons, records, strict=True
    ):
        told = body(binary[revision], instrument, opened_us, stage, reason)
        links.append(chain.link(links[-1], start + told + record))
    values = [
        *(owner.tenant_id, owner.core_hash, owner.engine_id, head.sequence),
        *(b"".join(records), b"".join(links)),
        *(revisions, instruments, opened),
        *(stages, reasons, starts, sizes),
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)


def ask_head(cursor: Any, owner: DecisionChain) -> None:
    """Send the question where the chain ends; ``read_head`` takes the answer."""
    cursor.execute(HEAD, [owner.tenant_id, owner.engine_id])


def read_head(cursor: Any) -> ChainHead:
    """The end of the chain asked for."""
    found = cursor.fetchone()
    return ChainHead(found[0], bytes(found[1])) if found else ChainHead(0, chain.GENESIS)
