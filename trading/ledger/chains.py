"""Reads the hash chains of acts and decisions, entry by entry, in constant memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections

from tenants.chain import Entry
from tenants.models import ChainCheck, Tenant
from trading.ledger import decisions
from trading.models import Engine

ROWS_AT_ONCE = 2000
MICROSECONDS = "(extract(epoch FROM {column}) * 1000000)::bigint"
ACTS = f"""
    SELECT sequence, previous_hash, hash, tenant_id::text,
           {MICROSECONDS.format(column="at")}::text, coalesce(actor_id::text, ''), actor_label,
           action, subject, before::text, after::text
    FROM tenants_auditentry WHERE tenant_id = %s ORDER BY sequence, id
"""  # noqa: S608 - constants
DECIDED = f"""
    SELECT sequence, previous_hash, hash, tenant_id, chain, core_hash, revision_id, instrument_id,
           {MICROSECONDS.format(column="bar_opened_at")}, stage, reason, record
    FROM trading_decision WHERE tenant_id = %s AND chain = %s ORDER BY sequence, id
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class ChainName:
    """Which chain: a workspace's acts, or the decisions of one of its engines."""

    tenant_id: UUID
    tenant: str
    kind: str
    chain: UUID


def list_chains() -> list[ChainName]:
    """Every chain of every workspace, by workspace; inside the staff scope."""
    found = []
    engines = list(Engine.objects.order_by("id").values_list("tenant_id", "id"))
    for tenant_id, slug in Tenant.objects.order_by("slug").values_list("id", "slug"):
        found.append(ChainName(tenant_id, slug, ChainCheck.Kind.AUDIT, tenant_id))
        found += [
            ChainName(tenant_id, slug, ChainCheck.Kind.DECISIONS, engine)
            for owner, engine in engines
            if owner == tenant_id
        ]
    return found


def read_chain(name: ChainName) -> Iterator[Entry]:
    """Its entries in the order of their numbers; inside the staff scope."""
    if name.kind == ChainCheck.Kind.AUDIT:
        for row in _rows(ACTS, [str(name.tenant_id)]):
            yield _entry(row, content_of_act(row[3:]))
        return
    for row in _rows(DECIDED, [str(name.tenant_id), str(name.chain)]):
        yield _entry(row, content_of_decision(row[3:]))


def _entry(row: Sequence[Any], content: bytes) -> Entry:
    return Entry(row[0], bytes(row[1]), bytes(row[2]), content)


def content_of_act(texts: Sequence[str]) -> bytes:
    """The canonical bytes of an audit entry: each text behind its length, as the trigger has it."""
    encoded = [text.encode() for text in texts]
    return b"".join(len(one).to_bytes(4, "big") + one for one in encoded)


def content_of_decision(row: Sequence[Any]) -> bytes:
    """The canonical bytes of a decision, from the columns of its row."""
    tenant_id, chain, core_hash, revision_id, instrument_id, opened_us, stage, reason, record = row
    told = decisions.body(revision_id.bytes, instrument_id, opened_us, stage, reason)
    return decisions.prefix(tenant_id, chain, core_hash) + told + bytes(record)


def _rows(query: str, values: Sequence[str]) -> Iterator[Sequence[Any]]:
    with connections["staff"].chunked_cursor() as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows
