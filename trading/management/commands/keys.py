"""Exchange keys from the terminal: list, add, check, rotate, disable, rewrap."""

import getpass
import json
import os
import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, ExchangeCredential
from tenants.scoping import tenant_scope
from tenants.vault import keyring
from trading import operations
from trading.management.choosing import find_account
from trading.queries import accounts as queries
from trading.wiring.directory import TenantNotFound, find_tenant
from trading.wiring.key_checks import NotChecked, check_account, check_due_keys, is_signing

EXIT_REFUSED, EXIT_NOT_FOUND, EXIT_CONFIGURATION = 1, 2, 4
MOST_BYTES = 4096
WAYS = (
    "key and secret are read as two lines from standard input, from --key-file, from the descriptor "
    "--fd, or asked for on a terminal; never from the command line. Exit codes: 0 done, 1 the venue "
    "refuses the key or did not answer, 2 not found, 4 wrong request or vault"
)


class Command(BaseCommand):
    """Adding and rotating seal; checking opens, so it belongs on an engine's machine."""

    help = "List, add, check, rotate or disable the exchange keys of a workspace; rewrap the vault."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The act and whose key."""
        parser.epilog = WAYS
        acts = parser.add_subparsers(dest="act", required=True)
        of_account = {
            "list": "how every account's key stands; never the key",
            "add": "seal a key for an account",
            "rotate": "put another key in its place; a running engine takes it up by itself",
            "check": "ask the venue what the key may",
            "disable": "forget the key",
        }
        for name, words in of_account.items():
            act = acts.add_parser(name, help=words, epilog=WAYS)
            act.add_argument("--tenant", help="the workspace's short name")
            act.add_argument("--json", action="store_true")
            if name == "list":
                continue
            act.add_argument("--exchange", default="", help="the account's venue")
            act.add_argument("--account", default="", help="its label, where there are several")
            if name in ("add", "rotate"):
                act.add_argument("--key-file", default="", help="holds key and secret, two lines")
                act.add_argument("--fd", type=int, default=None, help="an open file descriptor")
            if name == "check":
                act.add_argument("--due", action="store_true", help="all that are due, everywhere")
        rewrap = acts.add_parser("rewrap", help="move every data key to the newest KEK")
        rewrap.add_argument("--new", action="store_true", help="make a new KEK in the file first")
        rewrap.add_argument("--json", action="store_true")

    def handle(self, *, act: str, **options: Any) -> None:
        """Act, and say how the key stands now."""
        try:
            told = getattr(self, f"_{act}")(**options)
        except (TenantNotFound, tenant_operations.CredentialNotFound) as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        except (
            tenant_operations.InvalidCredential,
            tenant_operations.VaultClosed,
            keyring.NoKeyring,
        ) as error:
            raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else _words(told))
        if act == "check" and isinstance(told, list) and any(one["state"] == "BAD" for one in told):
            sys.exit(EXIT_REFUSED)

    def _list(self, *, tenant: str | None, **_: Any) -> list[dict[str, Any]]:
        with tenant_scope(_tenant(tenant)):
            return [_told(account) for account in queries.list_accounts()]

    def _add(self, *, tenant: str | None, **options: Any) -> list[dict[str, Any]]:
        return self._keep(_tenant(tenant), is_new=True, **options)

    def _rotate(self, *, tenant: str | None, **options: Any) -> list[dict[str, Any]]:
        return self._keep(_tenant(tenant), is_new=False, **options)

    def _keep(self, tenant_id: UUID, *, is_new: bool, **options: Any) -> list[dict[str, Any]]:
        with tenant_scope(tenant_id):
            account = find_account(options["exchange"], options["account"])
            if is_new == queries.view_account(account_id=account.id).has_key:
                words = "has a key; rotate it" if is_new else "has no key; add one"
                raise tenant_operations.InvalidCredential(f"account: {account} {words}")
        key, secret = read_key(path=options["key_file"], descriptor=options["fd"])
        with tenant_scope(tenant_id):
            tenant_operations.seal_key(
                account_id=account.id, key=key, secret=secret, actor=None, now=timezone.now()
            )
            return [_told(queries.get_account(account_id=account.id))]

    def _check(self, *, tenant: str | None, due: bool, **options: Any) -> Any:
        if due:
            return {"checked": check_due_keys()}
        tenant_id = _tenant(tenant)
        now = timezone.now()
        with tenant_scope(tenant_id):
            account = find_account(options["exchange"], options["account"])
            if is_signing(account.id):  # its engine asks with its own numbers
                tenant_operations.ask_check(account_id=account.id, actor=None, now=now)
                return [_told(queries.get_account(account_id=account.id))]
        try:
            check_account(tenant_id=tenant_id, account_id=account.id)
        except NotChecked as error:
            raise CommandError(str(error), returncode=EXIT_REFUSED) from None
        with tenant_scope(tenant_id):
            return [_told(queries.get_account(account_id=account.id))]

    def _disable(self, *, tenant: str | None, **options: Any) -> list[dict[str, Any]]:
        with tenant_scope(_tenant(tenant)):
            account = find_account(options["exchange"], options["account"])
            operations.disable_account_key(account_id=account.id, actor=None, now=timezone.now())
            return [_told(queries.get_account(account_id=account.id))]

    def _rewrap(self, *, new: bool, **_: Any) -> dict[str, Any]:
        if new:
            keyring.add_kek()
        moved = tenant_operations.rewrap_data_keys(now=timezone.now())
        return {"kek": keyring.load().newest_id, "data_keys_moved": moved}


def read_key(*, path: str, descriptor: int | None) -> tuple[str, str]:
    """(key, secret) as somebody gave them.

    Raises:
        InvalidCredential: there are not two lines.
    """
    if path:
        try:
            with open(path, "rb") as stream:
                text = stream.read(MOST_BYTES)
        except OSError as error:
            raise tenant_operations.InvalidCredential(
                f"--key-file: {path}: {error.strerror}"
            ) from None
    elif descriptor is not None:
        try:
            with os.fdopen(descriptor, "rb") as stream:
                text = stream.read(MOST_BYTES)
        except OSError as error:
            raise tenant_operations.InvalidCredential(
                f"--fd: {descriptor}: {error.strerror}"
            ) from None
    elif sys.stdin.isatty():
        return input("Key: "), getpass.getpass("Secret (not shown): ")
    else:
        text = sys.stdin.read(MOST_BYTES).encode()
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    if len(lines) != 2:
        raise tenant_operations.InvalidCredential(
            f"key and secret: two lines are accepted, there were {len(lines)}"
        )
    return lines[0], lines[1]


def _tenant(slug: str | None) -> UUID:
    if not slug:
        raise CommandError("--tenant: say whose account", returncode=EXIT_CONFIGURATION)
    return find_tenant(slug)


def _told(account: ExchangeAccount) -> dict[str, Any]:
    kept: ExchangeCredential | None = queries.credential_of(account)
    told: dict[str, Any] = {
        "account": account.label,
        "exchange": account.venue,
        "mode": account.mode,
        "state": kept.state if kept else "NONE",
    }
    if kept is not None:
        told |= {
            "ends": kept.last_four,
            "version": kept.version,
            "detail": kept.detail,
            "rights": kept.rights,
            "checked_at": kept.checked_at.isoformat() if kept.checked_at else None,
            "check_is_due": kept.check_asked_at is not None,
        }
    return told


def _words(told: Any) -> str:
    if isinstance(told, dict):
        return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in told.items())
    return "\n".join(map(_line, told)) or "no account yet"


def _line(one: dict[str, Any]) -> str:
    head = f"{one['account']} ({one['exchange']}, {one['mode'].lower()}): "
    if one["state"] == "NONE":
        return f"{head}no key"
    words = [f"key …{one['ends']}, version {one['version']}, {one['state'].lower()}"]
    words += [one["detail"]] if one["detail"] else []
    words += [f"checked {one['checked_at']}"] if one["checked_at"] else []
    words += ["a check is due"] if one["check_is_due"] else []
    return head + ", ".join(words)
