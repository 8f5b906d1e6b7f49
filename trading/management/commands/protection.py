"""What guards an account while no engine does: shown, or chosen for the engine's next start."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from trading import operations
from trading.queries import accounts as queries
from trading.wiring.directory import TenantNotFound, find_tenant

EXIT_NOT_FOUND, EXIT_CONFIGURATION = 2, 4


class Command(BaseCommand):
    """Without ``--choose`` it only shows."""

    help = (
        "Show or choose an account's protection. STOPS: resting stops while holding. SWITCH: the same, and "
        "Kraken's dead-man switch while nothing but untouched entries rests, so that they are cancelled "
        "within a minute of the engine's death. It holds from the engine's next start on. "
        "Exit codes: 0 done, 2 not found, 4 refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and which."""
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument("--exchange", required=True, help="the account's venue")
        parser.add_argument("--account", default="", help="its label, where there are several")
        parser.add_argument("--choose", default="", metavar="STOPS|SWITCH")

    def handle(self, *, tenant: str, choose: str, **options: Any) -> None:
        """One line: the account and its protection."""
        try:
            tenant_id = find_tenant(tenant)
        except TenantNotFound as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        with tenant_scope(tenant_id):
            account = find_account(options["exchange"], options["account"])
            if choose:
                try:
                    account = operations.choose_protection(
                        account_id=account.id,
                        protection=choose.upper(),
                        actor=None,
                        now=timezone.now(),
                    )
                except operations.ProtectionRefused as error:
                    raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        self.stdout.write(f"{account}: {account.protection}")


def find_account(venue: str, label: str) -> ExchangeAccount:
    """The one account of a venue, or the one with this label there."""
    listed = queries.list_accounts()
    fitting = [one for one in listed if one.venue == venue and label in ("", one.label)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(f"--exchange {one.venue} --account {one.label!r}" for one in listed)
    problem = "several accounts fit" if fitting else "no account fits"
    raise CommandError(f"{problem}; there is {there or 'none'}", returncode=EXIT_NOT_FOUND)
