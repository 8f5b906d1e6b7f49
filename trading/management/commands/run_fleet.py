"""Pre-fork supervisor: import once, fork one engine per wanted row."""

from typing import Any

import structlog
import uvloop
from django.core.management.base import BaseCommand
from django.utils import timezone

from trading.engine.runner import Outcome
from trading.fleet import CANNOT_RUN, LEADERSHIP_LOST, Chore, Fleet
from trading.management.commands.run_engine import serve
from trading.wiring.directory import ListedEngine
from trading.wiring.key_checks import check_due_keys, list_due_checks
from trading.wiring.proofs import list_unproven, prove_engines
from trading.wiring.starts import REFUSALS, note_refusal, open_engine
from trading.wiring.warm import compile_apart, warm_core

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Run every engine that should run on this host."""

    help = "Run every engine whose wanted state is RUNNING, one forked process each."

    def handle(self, **_: Any) -> None:
        """Compile the core once, then supervise until told to stop."""
        compile_apart()
        warm_core()
        checks = Chore("key checks", is_due=has_due_checks, main=check_keys)
        proofs = Chore("ledger proofs", is_due=has_unproven, main=prove_books)
        Fleet(main=run_one, chores=(checks, proofs)).run()


def has_due_checks() -> bool:
    """Whether somebody, or the daily round, asked what a key may do."""
    return bool(list_due_checks(now=timezone.now()))


def check_keys() -> int:
    """What a forked child does: the checks that are due."""
    check_due_keys()
    return 0


def has_unproven() -> bool:
    """Whether books wait for their daily proof."""
    return bool(list_unproven(now=timezone.now()))


def prove_books() -> int:
    """What a forked child does: prove what was not proved for a day."""
    now = timezone.now()
    for proof in prove_engines(list_unproven(now=now), now=now):
        if not proof.holds:
            log.error("books_differ", engine=proof.engine.name, why=proof.problem,
                      differing=len(proof.differences))  # fmt: skip
    return 0


def run_one(engine: ListedEngine) -> int:
    """What a forked child does: one engine, then its exit code."""
    structlog.contextvars.bind_contextvars(tenant=engine.tenant, engine=engine.engine_id)
    try:
        outcome = uvloop.run(serve(open_engine(engine, speed=None)))
    except REFUSALS as error:
        note_refusal(engine, error)
        log.error("engine_cannot_run", why=str(error))
        return CANNOT_RUN
    return LEADERSHIP_LOST if outcome is Outcome.LEADERSHIP_LOST else 0
