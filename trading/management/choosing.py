"""A command that shows one choice of an account, or makes it for the engine's next start."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from trading.queries import accounts as queries
from trading.wiring.directory import TenantNotFound, find_tenant

EXIT_NOT_FOUND, EXIT_CONFIGURATION = 2, 4


class ChoosingCommand(BaseCommand):
    """Without ``--choose`` it only shows. ``choice`` is the account's field and the operation's argument."""

    choice: ClassVar[str]
    choices: ClassVar[type[ExchangeAccount.Protection | ExchangeAccount.Tier]]
    operation: ClassVar[Callable[..., ExchangeAccount]]
    refused: ClassVar[type[Exception]]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and which."""
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument("--exchange", required=True, help="the account's venue")
        parser.add_argument("--account", default="", help="its label, where there are several")
        parser.add_argument("--choose", default="", metavar="|".join(self.choices))

    def handle(self, *, tenant: str, choose: str, **options: Any) -> None:
        """One line: the account and what is chosen."""
        try:
            tenant_id = find_tenant(tenant)
        except TenantNotFound as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        with tenant_scope(tenant_id):
            account = find_account(options["exchange"], options["account"])
            if choose:
                chosen = {self.choice: choose.upper()}
                try:
                    account = self.operation(
                        account_id=account.id, actor=None, now=timezone.now(), **chosen
                    )
                except self.refused as error:
                    raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        self.stdout.write(f"{account}: {getattr(account, self.choice)}")


def find_account(venue: str, label: str) -> ExchangeAccount:
    """The one account of a venue, or the one with this label there; empty: any.

    Raises:
        CommandError: none fits, or several do.
    """
    listed = queries.list_accounts()
    fitting = [a for a in listed if venue in ("", a.venue) and label in ("", a.label)]
    if len(fitting) == 1:
        return fitting[0]
    given = (("--exchange", venue), ("--account", label))
    asked = " ".join(f"{option} {value!r}" for option, value in given if value)
    there = ", ".join(f"--exchange {a.venue} --account {a.label!r}" for a in listed) or "none"
    problem = "several accounts fit" if fitting else "no account fits"
    words = f"{asked}: {problem}" if asked else problem
    raise CommandError(f"{words}; there is {there}", returncode=EXIT_NOT_FOUND)
