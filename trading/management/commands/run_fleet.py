"""Pre-fork supervisor: import once, fork one engine per wanted row."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

import structlog
import uvloop
from django.core.management.base import BaseCommand
from django.db import connections
from django.utils import timezone

from tenants import outages
from tenants.schema import insist_on_schema
from trading.engine.runner import Outcome
from trading.fleet import (
    CANNOT_RUN,
    DATABASE_LOST,
    LEADERSHIP_LOST,
    Chore,
    Fleet,
    is_wanted,
)
from trading.management.commands.run_engine import serve
from trading.settling import AtRest
from trading.wiring.compiling import is_compiled
from trading.wiring.directory import ListedEngine, list_engines
from trading.wiring.fleet_report import Figures, NoFleet, Report, make_report, note_fleet
from trading.wiring.key_checks import check_due_keys, list_due_checks
from trading.wiring.proofs import list_unproven, prove_engines
from trading.wiring.starts import REFUSALS, note_preparation, note_refusal, open_engine
from trading.wiring.warm import warm_client, warm_doors

log = structlog.get_logger(__name__)

EXIT_NOT_RUNNING = 3
COMPILING = "Getting ready: the decision core is compiled, once for each version; up to a minute."
HEAD = "     pid   RSS MB   PSS MB private MB  CPU %  last word   last bar"


class Command(BaseCommand):
    """Run every engine that should run on this host."""

    help = "Run every engine whose wanted state is RUNNING, one forked process each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Run, or look at the one that runs."""
        parser.epilog = "exit codes: 0 stopped or told, 3 --report: no fleet runs here"
        parser.add_argument("--report", action="store_true", help="what each engine costs now")
        parser.add_argument("--json", action="store_true", help="with --report: for programs")

    def handle(self, *, report: bool, json: bool, **_: Any) -> None:
        """Compile the core once, then supervise until told to stop; or report."""
        if report:
            self.stdout.write(told(as_json=json))
            return
        insist_on_schema()
        if not is_compiled():
            tell_engines(COMPILING)
        warm_doors()
        warm_client()
        checks = Chore("key checks", is_due=has_due_checks, main=check_keys)
        proofs = Chore("ledger proofs", is_due=has_unproven, main=prove_books)
        Fleet(main=run_one, chores=(checks, proofs), note=note_fleet).run()


def tell_engines(words: str) -> None:
    """Say on the page of every engine that should run what it waits for."""
    try:
        for engine in filter(is_wanted, list_engines()):
            note_preparation(engine, words)
    finally:
        connections.close_all()  # no connection may cross a fork


def told(*, as_json: bool) -> str:
    """The report, a table or JSON; ends the process with 3 where there is no fleet."""
    try:
        report = make_report()
    except NoFleet as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_NOT_RUNNING)
    return json.dumps(report.as_json(), indent=2) if as_json else as_table(report)


def as_table(report: Report) -> str:
    """A line for each process, then what all and what one more engine take."""
    lines = [HEAD, *(in_line(one) for one in (report.parent, *report.engines))]
    total, each = report.total(), report.per_engine()
    lines.append(f"all together: {total['pss_mb']} MB, {total['cpu_percent']} % of a core")
    if each:
        lines.append(
            f"one more engine: {each['private_mb']} MB of its own, {each['cpu_percent']} %"
        )
    return "\n".join(lines)


def in_line(one: Figures) -> str:
    """One process."""
    ages = [
        f"{age:g} s" if age is not None else "-"
        for age in (one.last_word_seconds, one.last_bar_seconds)
    ]
    memory = one.memory
    return (
        f"{one.pid:>8} {memory.rss_mb:>8} {memory.pss_mb:>8} {memory.private_mb:>10} "
        f"{one.cpu_percent:>6} {ages[0]:>10} {ages[1]:>10}  {one.name}"
    )


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


def run_one(engine: ListedEngine, at_rest: AtRest) -> int:
    """What a forked child does: one engine, then its exit code."""
    structlog.contextvars.bind_contextvars(tenant=engine.tenant, engine=engine.engine_id)
    insist_on_schema()  # it may have changed under this program; its exit code is CANNOT_RUN's
    try:
        return lead(engine, at_rest)
    except outages.DATABASE_ERRORS as error:  # it begins anew, from the journal, once that answers
        if not outages.is_outage(error):
            raise
        log.error("engine_lost_its_database", why=outages.describe(error))
        return DATABASE_LOST


def lead(engine: ListedEngine, at_rest: AtRest) -> int:
    """Run it until it ends; its exit code."""
    try:
        outcome = uvloop.run(serve(open_engine(engine, speed=None), at_rest))
    except REFUSALS as error:
        note_refusal(engine, error)
        log.error("engine_cannot_run", why=str(error))
        return CANNOT_RUN
    return LEADERSHIP_LOST if outcome is Outcome.LEADERSHIP_LOST else 0
