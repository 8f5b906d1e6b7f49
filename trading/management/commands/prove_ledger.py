"""Prove that the books follow from the fills, and equal the venue's own where trading is live."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from trading.wiring.directory import list_engines
from trading.wiring.proofs import Proof, prove_engines

EXIT_DIFFERENT, EXIT_NOT_FOUND, EXIT_UNPROVEN = 1, 2, 3


class Command(BaseCommand):
    """Changes nothing but the record of what it found."""

    help = "Hold every fill, fee, posting and position against the venue's ledger and a replay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which engines."""
        parser.epilog = (
            "exit codes: 0 nothing differs, 1 something does, 2 no such engine, "
            "3 a venue's books could not be had"
        )
        parser.add_argument("--engine", help="the id of one engine; without it all")
        parser.add_argument("--tenant", help="the short name of one workspace")
        parser.add_argument("--json", action="store_true", help="one JSON answer")

    def handle(self, *, engine: str | None, tenant: str | None, json: bool, **_: Any) -> None:
        """Prove and tell."""
        chosen = [
            one
            for one in list_engines()
            if engine in (None, one.engine_id) and tenant in (None, one.tenant)
        ]
        if not chosen and (engine or tenant):
            known = ", ".join(f"{one.engine_id} ({one.name})" for one in list_engines()) or "none"
            words = f"no engine {engine or 'of ' + str(tenant)}; there are: {known}"
            raise CommandError(words, returncode=EXIT_NOT_FOUND)
        proofs = prove_engines(chosen, now=timezone.now())
        self.stdout.write(as_json(proofs) if json else as_text(proofs))
        if any(proof.differences for proof in proofs):
            sys.exit(EXIT_DIFFERENT)
        if any(proof.problem for proof in proofs):
            sys.exit(EXIT_UNPROVEN)


def as_json(proofs: list[Proof]) -> str:
    """The machine's answer."""
    told = [{"holds": proof.holds, **asdict(proof)} for proof in proofs]
    return json.dumps(told, indent=2, default=str)


def as_text(proofs: list[Proof]) -> str:
    """The person's answer."""
    lines = []
    for proof in proofs:
        counted = f"{proof.fills} fills, {proof.orders} orders"
        state = "DIFFERENT" if proof.differences else "unproven" if proof.problem else "proven"
        words = f": {proof.problem}" if proof.problem else ""
        lines.append(f"{state:<9} {proof.engine.name} ({counted}){words}")
        lines += [f"    {one.kind} {one.what}: {one.words}" for one in proof.differences]
    return "\n".join(lines) or "no engine yet"
