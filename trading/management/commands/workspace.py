"""A workspace's standing: shown, let lapse, suspended, made active again."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.models import Tenant
from tenants.scoping import tenant_scope
from tenants.standing import ACTIVE, LAPSED, SUSPENDED
from trading import operations
from trading.models import Engine
from trading.wiring.directory import TenantNotFound, find_tenant

EXIT_NOT_FOUND, EXIT_CONFIGURATION = 2, 4
STATUS_OF = {"activate": ACTIVE, "lapse": LAPSED, "suspend": SUSPENDED}


class Command(BaseCommand):
    """Engines are told at once; each holds its entries as soon as it reads its inbox."""

    help = (
        "Show or change a workspace's standing. One that lapsed or is suspended enters nothing: exits, "
        "stops and reconciliation keep running, and its members can read, export, pause and close."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The act, whose, and why."""
        parser.epilog = "exit codes: 0 done, 2 no such workspace, 4 refused"
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("show", help="its status and why")
        acts.add_parser("activate", help="let its engines enter again")
        lapse = acts.add_parser("lapse", help="nothing that opens risk, until it is paid")
        suspend = acts.add_parser("suspend", help="no change either, until somebody activates it")
        for act in (lapse, suspend):
            act.add_argument("--reason", required=True, help="what its members read")
        for act in acts.choices.values():
            act.add_argument("--tenant", required=True, help="the workspace's short name")
            act.add_argument("--json", action="store_true")

    def handle(self, *, act: str, tenant: str, **options: Any) -> None:
        """One change, and what stands after it."""
        try:
            tenant_id = find_tenant(tenant)
        except TenantNotFound as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        now, ordered = timezone.now(), 0
        with tenant_scope(tenant_id):
            if act in STATUS_OF:
                try:
                    tenant_operations.change_standing(
                        tenant_id=tenant_id,
                        status=STATUS_OF[act],
                        reason=options.get("reason", ""),
                        actor=None,
                        now=now,
                    )
                except tenant_operations.StandingRefused as error:
                    raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
                for engine_id in Engine.objects.order_by("id").values_list("id", flat=True):
                    ordered += operations.follow_standing(engine_id=engine_id, now=now)
            found = Tenant.objects.get(id=tenant_id)
        told = {
            "workspace": found.slug,
            "status": found.status,
            "reason": found.status_reason,
            "orders": ordered,
        }
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else _words(told))


def _words(told: dict[str, Any]) -> str:
    why = f": {told['reason']}" if told["reason"] else ""
    orders = f" ({told['orders']} orders to its engines)" if told["orders"] else ""
    return f"{told['workspace']} {told['status']}{why}{orders}"
