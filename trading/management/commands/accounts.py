"""Exchange accounts from the terminal: list, add, rename, disable, enable."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from trading import operations
from trading.management.commands.keys import WAYS, read_key
from trading.queries import accounts as queries
from trading.wiring.directory import TenantNotFound, find_tenant

EXIT_NOT_FOUND, EXIT_CONFIGURATION = 2, 4
CODES = "exit codes: 0 done, 2 not found, 4 refused"


class Command(BaseCommand):
    """An account is named by ``--name``, its own in the workspace."""

    help = "List, add, rename, disable or enable the exchange accounts of a workspace."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The act and whose account."""
        parser.epilog = CODES
        acts = parser.add_subparsers(dest="act", required=True)
        for name, words in {
            "list": "every account: venue, mode, key, engine",
            "add": "an account on paper, with an engine that stands still",
            "rename": "call it something else",
            "disable": "out of use, its key forgotten; its engine must stand still",
            "enable": "into use again",
        }.items():
            act = acts.add_parser(name, help=words, epilog=WAYS if name == "add" else CODES)
            act.add_argument("--tenant", required=True, help="the workspace's short name")
            act.add_argument("--json", action="store_true")
            if name != "list":
                act.add_argument("--name", required=True, help="of the account")
            if name == "rename":
                act.add_argument("--to", required=True, help="its new name")
            if name == "add":
                self._add_new(act)

    def _add_new(self, act: ArgumentParser) -> None:
        act.add_argument("--exchange", required=True, help="its venue: kraken, synthetic …")
        act.add_argument("--currency", default="USD", help="default USD")
        act.add_argument("--cash", type=money, default=Decimal(10_000), help="paper money")
        act.add_argument("--speed", default="60", help="of replayed bars: times, or max")
        act.add_argument("--with-key", action="store_true", help="read and seal a key, too")
        act.add_argument("--key-file", default="", help="holds key and secret, two lines")
        act.add_argument("--fd", type=int, default=None, help="an open file descriptor")

    def handle(self, *, act: str, tenant: str, **options: Any) -> None:
        """Act, and say how the account stands."""
        try:
            tenant_id = find_tenant(tenant)
            with tenant_scope(tenant_id), transaction.atomic():
                told = getattr(self, f"_{act}")(tenant_id, **options)
        except (TenantNotFound, operations.AccountNotFound) as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        except (
            operations.InvalidAccount,
            tenant_operations.InvalidCredential,
            tenant_operations.VaultClosed,
        ) as error:
            raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else _words(told))

    def _list(self, tenant_id: UUID, **_: Any) -> list[dict[str, Any]]:
        return [_told(view) for view in queries.view_accounts()]

    def _add(self, tenant_id: UUID, **options: Any) -> list[dict[str, Any]]:
        is_keyed = options["with_key"] or options["key_file"] or options["fd"] is not None
        given = read_key(path=options["key_file"], descriptor=options["fd"]) if is_keyed else None
        now = timezone.now()
        account = operations.open_account(
            tenant_id=tenant_id,
            venue=options["exchange"],
            name=options["name"],
            currency=options["currency"],
            cash=options["cash"],
            speed=options["speed"],
            actor=None,
            now=now,
        )
        if given is not None:
            key, secret = given
            tenant_operations.seal_key(
                account_id=account.id, key=key, secret=secret, actor=None, now=now
            )
        return self._one(account)

    def _rename(self, tenant_id: UUID, *, name: str, to: str, **_: Any) -> list[dict[str, Any]]:
        found, now = _find(name), timezone.now()
        account = operations.rename_account(account_id=found.id, name=to, actor=None, now=now)
        return self._one(account)

    def _disable(self, tenant_id: UUID, *, name: str, **_: Any) -> list[dict[str, Any]]:
        found, now = _find(name), timezone.now()
        return self._one(operations.disable_account(account_id=found.id, actor=None, now=now))

    def _enable(self, tenant_id: UUID, *, name: str, **_: Any) -> list[dict[str, Any]]:
        found, now = _find(name), timezone.now()
        return self._one(operations.enable_account(account_id=found.id, actor=None, now=now))

    def _one(self, account: ExchangeAccount) -> list[dict[str, Any]]:
        return [_told(queries.view_account(account_id=account.id))]


def money(text: str) -> Decimal:
    """An amount as somebody typed it."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text!r}: accepted is a number such as 10000") from None


def _find(name: str) -> ExchangeAccount:
    listed = queries.list_accounts()
    fitting = [one for one in listed if one.label == name]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(repr(one.label) for one in listed) or "none"
    raise operations.AccountNotFound(f"--name: {name!r}; there is {there}")


def _told(view: queries.AccountView) -> dict[str, Any]:
    account, kept = view.account, view.credential
    return {
        "account": account.label,
        "exchange": account.venue,
        "mode": account.mode,
        "currency": account.quote_currency,
        "in_use": account.disabled_at is None,
        "key": f"…{kept.last_four}, {kept.state.lower()}" if kept and view.has_key else "none",
        "engine": str(view.engine) if view.engine else None,
    }


def _words(told: list[dict[str, Any]]) -> str:
    lines = [
        f"{one['account']} ({one['exchange']}, {one['currency']}): "
        f"{one['mode'].lower() if one['in_use'] else 'disabled'}, key {one['key']}"
        for one in told
    ]
    return "\n".join(lines) or "no account yet"
