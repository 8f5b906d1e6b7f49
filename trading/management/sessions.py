"""What the commands of research share: carry out, keep, export, tell, and end with the right code."""

import json
import os
import socket
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone

from trading.core.params import InvalidParams
from trading.management.bars import EXIT_CONFIGURATION, EXIT_ERROR, EXIT_NOT_FOUND
from trading.management.interrupts import Interrupts
from trading.management.progress import Bar
from trading.marketdata.store import StoreError
from trading.operations.backtests import TooManyRuns
from trading.operations.runs import LeaseLost, RunChanged
from trading.queries.backtests import CannotCompare, NoSuchRun
from trading.queries.bars import open_store
from trading.queries.report_file import render_file
from trading.research.requests import InvalidRequest, ResearchRequest
from trading.research.results import Trial, pack
from trading.wiring import research
from trading.wiring.backtests import BacktestRefused, NothingStored
from trading.wiring.directory import TenantNotFound, find_tenant
from trading.wiring.research import Ended

EXIT_INTERRUPTED = 130
Tell = Callable[[dict[str, Any]], str]
TellPart = Callable[[list[Trial]], str]


@contextmanager
def spoken_errors() -> Iterator[None]:
    """Every expected error as one sentence and its exit code."""
    try:
        yield
    except (InvalidParams, InvalidRequest, BacktestRefused, CannotCompare, TooManyRuns) as error:
        raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
    except (NothingStored, TenantNotFound, NoSuchRun) as error:
        raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
    except (StoreError, LeaseLost, RunChanged) as error:
        raise CommandError(str(error), returncode=EXIT_ERROR) from None


def carry_out(request: ResearchRequest, *, tenant: str | None, processes: int = 1) -> Ended:
    """Run it here and now; with a tenant as a numbered run that is kept."""
    with Bar() as bar, Interrupts() as interrupts:

        def progress(done: int, total: int) -> None:
            bar(done, total)
            interrupts.check()

        if tenant is None:
            return research.run_unkept(
                request, store=open_store(), processes=processes, progress=progress
            )
        claim = research.claim_new(
            request,
            tenant_id=find_tenant(tenant),
            actor=None,
            worker=f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}",
            now=timezone.now(),
        )
        return research.run_claimed(
            claim, store=open_store(), clock=timezone.now, processes=processes, progress=progress
        )


def tell(
    ended: Ended,
    *,
    options: dict[str, Any],
    stdout: OutputWrapper,
    as_text: Tell,
    as_part: TellPart,
) -> None:
    """Print and export the result; one that was stopped prints what was tried, and exits 130."""
    if ended.outcome is None:
        if options["json"]:
            part = {"status": ended.status, **_name(ended), "trials": _told(ended.trials)}
            stdout.write(json.dumps(part, indent=2))
        else:
            stdout.write(as_part(ended.trials))
        sys.exit(EXIT_INTERRUPTED)
    facts = ended.outcome.facts
    if options["export"]:
        write_file("--export", options["export"], json.dumps(facts, indent=2))
    if options.get("html"):
        write_file("--html", options["html"], render_file(facts, ended.outcome.charts))
    digest = ended.digest or pack(facts)[1]
    if options["json"]:
        shown = facts if options.get("trades", True) else drop_trades(facts)
        shown = {**shown, **_name(ended), "result_sha256": digest}
        stdout.write(json.dumps(shown, indent=2))
        return
    stdout.write(as_text(facts))
    kept = f"kept as run {ended.number}, " if ended.number else ""
    stdout.write(f"\n{kept}result sha256 {digest}")


def _name(ended: Ended) -> dict[str, int]:
    return {"run": ended.number} if ended.number else {}


def _told(trials: list[Trial]) -> list[dict[str, Any]]:
    ordered = sorted(trials, key=lambda trial: trial.key)
    return [{"window": one.window, "sample": one.sample, **one.told()} for one in ordered]


def write_file(option: str, path: Path, text: str) -> None:
    """Write what an option asked for.

    Raises:
        CommandError: it cannot be written there.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"{option} {path}: {error.strerror}", returncode=EXIT_CONFIGURATION
        ) from None


def drop_trades(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts without the list of trades."""
    return {name: value for name, value in facts.items() if name != "trades"}
