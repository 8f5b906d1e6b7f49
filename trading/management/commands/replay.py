"""Make one stored decision again from the engine's tape, and show it with its gates."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.wiring.directory import TenantNotFound, find_tenant
from trading.wiring.tapes import DecisionNotFound, Replayed, replay_decision

EXIT_NOT_FOUND, EXIT_NO_TAPE = 2, 3
NOT_ASKED, VOTED = "not asked", "voted"


class Command(BaseCommand):
    """Byte for byte, or it says what differs or which input is missing."""

    help = "Make a stored decision again from its engine's tape; it must equal the stored one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which decision, and how to answer."""
        parser.epilog = (
            "exit codes: 0 equal, 1 different, 2 no such decision, 3 the tape does not have it"
        )
        parser.add_argument(
            "decision", help="its number, or SYMBOL@TIME of its bar (BTC/USD@2026-01-31T12:05, UTC)"
        )
        parser.add_argument("--tenant", default="", help="the workspace's short name; default: any")
        parser.add_argument("--json", action="store_true", help="one JSON answer")

    def handle(self, *, decision: str, tenant: str, json: bool, **_: Any) -> None:
        """Replay and compare."""
        from trading.tape.replay import NotOnTape  # compiled: only this command pays for it

        try:
            found = replay_decision(
                name=decision, tenant_id=find_tenant(tenant) if tenant else None
            )
        except (DecisionNotFound, TenantNotFound) as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        except NotOnTape as error:
            raise CommandError(f"decision {decision}: {error}", returncode=EXIT_NO_TAPE) from None
        self.stdout.write(as_json(found) if json else as_text(found))
        if not found.is_equal:
            sys.exit(1)


def as_json(found: Replayed) -> str:
    """The machine's answer."""
    return json.dumps(asdict(found))


def as_text(found: Replayed) -> str:
    """The person's answer."""
    told = found.stored
    verdict = "equal, byte for byte" if found.is_equal else (
        f"DIFFERENT: {', '.join(found.differing) or 'bytes that no word shows'}"
    )  # fmt: skip
    votes = [
        f"vote {one['strategy']}: score {one['score']}, confidence {one['confidence']}"
        for one in told.get("votes", [])
        if one["abstained"] == VOTED
    ]
    gates = [
        f"gate {one['name']}: {one['verdict']} (value {one['value']}, limit {one['limit']})"
        for one in told.get("gates", [])
        if one["verdict"] != NOT_ASKED
    ]
    return "\n  ".join(
        [
            f"decision {found.decision} on {found.instrument}: {verdict}",
            f"from {found.segment}, entry {found.sequence}, after {found.inputs} inputs",
            told.get("sentence", "stored by another version of the core"),
            *votes,
            *gates,
        ]
    )
