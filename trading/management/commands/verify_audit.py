"""Prove that the audit log and the decisions are as they were written."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.anchors import AnchorsDamaged
from trading.wiring import audit
from trading.wiring.audit import CheckedChain, anchor_chains, anchors_path, verify_chains
from trading.wiring.directory import TenantNotFound, find_tenant

EXIT_BROKEN, EXIT_NOT_FOUND = 1, 2


class Command(BaseCommand):
    """Walks every hash chain beside its anchors; keeps what it found."""

    help = "Verify the hash chains of acts and decisions; name the first entry that does not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which chains, and whether to anchor them."""
        parser.epilog = "exit codes: 0 every chain holds, 1 one does not, 2 no such workspace"
        parser.add_argument("--tenant", help="one workspace's short name; without it all")
        parser.add_argument(
            "--anchor", action="store_true", help="append the heads of what holds to the anchors"
        )
        parser.add_argument(
            "--anchors", type=Path, help="compare with this copy of the anchors", metavar="FILE"
        )
        parser.add_argument(
            "--accept-restore",
            metavar="REASON",
            default="",
            help="go on with chains that a restored backup cut short; written into log and anchors",
        )
        parser.add_argument("--json", action="store_true", help="one JSON answer")

    def handle(
        self,
        *,
        tenant: str | None,
        anchor: bool,
        anchors: Path | None,
        accept_restore: str,
        json: bool,
        **_: Any,
    ) -> None:
        """Walk, tell, anchor."""
        if anchors is not None and not anchors.is_file():
            raise CommandError(f"--anchors {anchors}: no such file", returncode=EXIT_NOT_FOUND)
        now = timezone.now()
        try:
            tenant_id = find_tenant(tenant) if tenant else None
            path = anchors or anchors_path()
            checked = list(
                verify_chains(tenant_id=tenant_id, anchors=path, now=now, checked_by="verify_audit")
            )
            lines = anchor_chains(checked, anchors=path, now=now) if anchor else []
            if accept_restore:
                lines += audit.accept_restore(checked, reason=accept_restore, anchors=path, now=now)
        except TenantNotFound as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        except AnchorsDamaged as error:
            raise CommandError(str(error), returncode=EXIT_BROKEN) from None
        self.stdout.write(as_json(checked, lines) if json else as_text(checked, lines))
        if not all(one.is_whole for one in checked):
            sys.exit(EXIT_BROKEN)


def as_json(checked: list[CheckedChain], anchored: list[str]) -> str:
    """The machine's answer."""
    told = {
        "whole": all(one.is_whole for one in checked),
        "chains": [_facts(one) for one in checked],
        "anchored": [json.loads(line) for line in anchored],
    }
    return json.dumps(told, indent=2)


def _facts(one: CheckedChain) -> dict[str, Any]:
    broken = one.walk.first_break
    return {
        "tenant": one.name.tenant,
        "kind": str(one.name.kind),
        "chain": str(one.name.chain),
        "entries": one.walk.head.sequence,
        "head": one.walk.head.hash.hex(),
        "broken_at": broken.sequence if broken else None,
        "damage": broken.damage if broken else None,
        "words": broken.words if broken else "",
    }


def as_text(checked: list[CheckedChain], anchored: list[str]) -> str:
    """One chain a line, then the anchors."""
    lines = []
    for one in checked:
        name = f"{one.name.tenant} {one.name.kind.lower()} {one.name.chain}"
        broken = one.walk.first_break
        if broken is None:
            lines.append(f"whole  {name}: {one.walk.head.sequence} entries")
        else:
            lines.append(f"BROKEN {name}: {broken.damage} at {broken.sequence}: {broken.words}")
    return "\n".join([*lines, *anchored]) or "no chain yet"
