"""Where tapes lie, who writes them, and any stored decision made again from them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from tenants.scoping import staff_scope
from trading.core import explain
from trading.engine.ports import Clock
from trading.ledger import rows
from trading.models import Decision
from trading.queries.storage import tape_folder
from trading.wiring.plans import Plan

if TYPE_CHECKING:  # compiled: only an engine process and a replay pay for it
    from trading.tape.recorder import TapeRecorder
    from trading.tape.taps import TapedCore

MOST_NAMED = 10


class DecisionNotFound(Exception):
    """No stored decision has this name, or several do; the text says which."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision made again, beside what is stored."""

    decision: int
    instrument: str
    is_equal: bool
    stored: dict[str, Any]
    differing: tuple[str, ...]
    segment: str
    epoch: int
    sequence: int
    at_ns: int
    inputs: int


def build_tape(
    plan: Plan, *, epoch: Callable[[], int], clock: Clock
) -> "tuple[TapeRecorder, TapedCore]":
    """A tape for one engine, and the core whose inputs it takes down."""
    from trading.core.jit import CORE_HASH
    from trading.engine.state import layout_hash
    from trading.tape.recorder import Owner, TapeLimits, TapeRecorder
    from trading.tape.taps import TapedCore

    owner = Owner(
        engine_id=str(plan.engine.id),
        specs=plan.specs,
        params=plan.params,
        core_hash=CORE_HASH,
        layout_hash=layout_hash(),
        epoch=epoch,
        now_ns=clock.now_ns,
    )
    limits = TapeLimits(most_bytes=settings.TAPE_BYTES, days=settings.TAPE_DAYS)
    tape = TapeRecorder(folder=tape_folder(plan.engine.id), owner=owner, limits=limits)
    return tape, TapedCore(owner=owner, tape=tape)


def replay_decision(*, name: str, tenant_id: UUID | None) -> Replayed:
    """Make a stored decision again from its engine's tape and compare the bytes.

    Raises:
        DecisionNotFound: there is none of this name. NotOnTape: an input of it is missing.
    """
    from trading.tape.replay import Wanted, rebuild

    with staff_scope():
        row = _find(name, tenant_id)
    wanted = Wanted(str(row.revision_id), row.instrument_id, rows.to_ns(row.bar_opened_at))
    stored = bytes(row.record)
    made = rebuild(tape_folder(row.chain), wanted, stored=stored)
    before, after = _words(stored), _words(made.record)
    return Replayed(
        decision=row.id,
        instrument=row.instrument.symbol,
        is_equal=made.record == stored,
        stored=before,
        differing=tuple(key for key in after if before.get(key) != after[key]),
        segment=made.segment,
        epoch=made.epoch,
        sequence=made.sequence,
        at_ns=made.at_ns,
        inputs=made.inputs,
    )


def _words(record: bytes) -> dict[str, Any]:
    return explain.describe(explain.read(record)) if explain.is_record(record) else {}


def _find(name: str, tenant_id: UUID | None) -> Decision:
    mine = Decision.objects.select_related("instrument")
    if tenant_id is not None:
        mine = mine.filter(tenant_id=tenant_id)
    found = list(_named(mine, name).order_by("id")[: MOST_NAMED + 1])
    if not found:
        raise DecisionNotFound(f"decision {name!r}: none is stored")
    if len(found) > 1:
        ids = ", ".join(str(row.id) for row in found[:MOST_NAMED])
        raise DecisionNotFound(f"decision {name!r}: several are stored; name one by number: {ids}")
    return found[0]


def _named(mine: "QuerySet[Decision]", name: str) -> "QuerySet[Decision]":
    """By number, or by symbol and opening time of the bar."""
    if name.isdecimal():
        return mine.filter(id=int(name))
    symbol, _, opened = name.partition("@")
    try:
        at = datetime.fromisoformat(opened)
    except ValueError:
        raise DecisionNotFound(
            f"decision {name!r}: accepted is its number, or SYMBOL@TIME of the bar's opening, "
            "such as BTC/USD@2026-01-31T12:05"
        ) from None
    opened_at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return mine.filter(instrument__symbol=symbol, bar_opened_at=opened_at)
