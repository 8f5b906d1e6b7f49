"""An account's standing at Kraken: shown, or chosen for the engine's next start."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.scoping import tenant_scope
from trading import operations
from trading.management.commands.protection import (
    EXIT_CONFIGURATION,
    EXIT_NOT_FOUND,
    find_account,
)
from trading.wiring.directory import TenantNotFound, find_tenant


class Command(BaseCommand):
    """Without ``--choose`` it only shows."""

    help = (
        "Show or choose an account's tier at Kraken, which decides how often it may place, amend and "
        "cancel orders and ask for anything. STARTER, where nobody chose, is never too much. It holds "
        "from the engine's next start on. Exit codes: 0 done, 2 not found, 4 refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and which."""
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument("--exchange", required=True, help="the account's venue")
        parser.add_argument("--account", default="", help="its label, where there are several")
        parser.add_argument("--choose", default="", metavar="STARTER|INTERMEDIATE|PRO")

    def handle(self, *, tenant: str, choose: str, **options: Any) -> None:
        """One line: the account and its tier."""
        try:
            tenant_id = find_tenant(tenant)
        except TenantNotFound as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        with tenant_scope(tenant_id):
            account = find_account(options["exchange"], options["account"])
            if choose:
                try:
                    account = operations.choose_tier(
                        account_id=account.id,
                        tier=choose.upper(),
                        actor=None,
                        now=timezone.now(),
                    )
                except operations.TierRefused as error:
                    raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        self.stdout.write(f"{account}: {account.tier}")
