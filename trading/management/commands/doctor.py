"""Examine the installation and say what a person must look at."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from trading.queries.findings import Finding, Verdict
from trading.wiring.doctor import examine


class Command(BaseCommand):
    """Reads only; safe at any time."""

    help = (
        "Examine database, engines, orders, stops, holds and venues; exit code 1 if anything fails."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Machine-readable answer."""
        parser.epilog = "exit codes: 0 nothing fails, 1 something does"
        parser.add_argument("--json", action="store_true")

    def handle(self, *, json: bool, **_: Any) -> None:
        """Look and tell."""
        found = examine()
        self.stdout.write(as_json(found) if json else as_text(found))
        if any(one.verdict is Verdict.FAIL for one in found):
            sys.exit(1)


def as_json(found: list[Finding]) -> str:
    """For programs."""
    return json.dumps([{**asdict(one), "words": one.told} for one in found], indent=2)


def as_text(found: list[Finding]) -> str:
    """One finding a line, what fails last, where it is seen."""
    order = list(Verdict)
    ranked = sorted(found, key=lambda one: order.index(one.verdict))
    return "\n".join(f"{one.verdict:<5} {one.check:<14} {one.told}" for one in ranked)
