"""API keys from the terminal: create, list, revoke."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants import operations, queries
from tenants.models import ApiKey, Membership, Tenant
from tenants.roles import Scope
from tenants.scoping import staff_scope, tenant_scope

EXIT_NOT_FOUND, EXIT_CONFIGURATION = 2, 4


class Command(BaseCommand):
    """The key itself goes to standard output once, everything else to nobody."""

    help = "Create, list or revoke the API keys of a workspace."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The act and what it needs."""
        parser.epilog = "exit codes: 0 done, 2 not found, 4 wrong request"
        acts = parser.add_subparsers(dest="act", required=True)
        create = acts.add_parser("create", help="make a key and print it once")
        create.add_argument("--label", required=True)
        create.add_argument("--scope", default=Scope.READ.value, choices=[s.value for s in Scope])
        create.add_argument("--days", type=int, help="until it expires; default never")
        create.add_argument("--user", help="for whom it acts; default the first owner")
        listing = acts.add_parser("list", help="list keys; never the keys themselves")
        revoke = acts.add_parser("revoke", help="end a key for ever")
        revoke.add_argument("key", type=UUID, help="its id, as list tells it")
        for act in (create, listing, revoke):
            act.add_argument("--tenant", required=True, help="the workspace's short name")
            act.add_argument("--json", action="store_true")

    def handle(self, *, act: str, tenant: str, **options: Any) -> None:
        """Act inside the workspace."""
        with staff_scope():
            found = Tenant.objects.filter(slug=tenant).values_list("id", flat=True).first()
        if found is None:
            raise CommandError(f"tenant {tenant!r}: there is none", returncode=EXIT_NOT_FOUND)
        with tenant_scope(found):
            told = getattr(self, f"_{act}")(found, **options)
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else _words(told))

    def _create(self, tenant_id: UUID, **options: Any) -> dict[str, Any]:
        members = Membership.objects.select_related("user").order_by("id")
        chosen = members.filter(user__email=options["user"].lower()) if options["user"] else members.filter(role="OWNER")  # fmt: skip
        member = chosen.first()
        if member is None:
            raise CommandError(
                f"--user {options['user']}: no member of this workspace", returncode=EXIT_NOT_FOUND
            )
        try:
            key, secret = operations.issue_key(
                tenant_id=tenant_id,
                user=member.user,
                label=options["label"],
                scope=options["scope"],
                days=options["days"],
                now=timezone.now(),
            )
        except operations.InvalidKey as error:
            raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        return {**_told(key), "key": secret}

    def _list(self, tenant_id: UUID, **_: Any) -> list[dict[str, Any]]:
        return [_told(key) for key in queries.list_api_keys()]

    def _revoke(self, tenant_id: UUID, *, key: UUID, **_: Any) -> dict[str, Any]:
        try:
            operations.revoke_key(key_id=key, actor=None, now=timezone.now())
        except operations.KeyNotFound as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        return _told(ApiKey.objects.select_related("user").get(id=key))


def _told(key: ApiKey) -> dict[str, Any]:
    times = {name: getattr(key, name) for name in ("expires_at", "last_used_at", "revoked_at")}
    return {
        "id": str(key.id),
        "label": key.label,
        "scope": key.scope,
        "begins": key.hint,
        "user": key.user.email,
        **{name: at.isoformat() if at else None for name, at in times.items()},
    }


def _words(told: dict[str, Any] | list[dict[str, Any]]) -> str:
    if isinstance(told, list):
        return "\n".join(map(_words, told)) or "no key yet; api_key create makes one"
    if "key" in told:
        return f"{told['key']}\nkept nowhere, shown this once: {told['label']}, {told['scope']}, for {told['user']}"
    ended = "revoked" if told["revoked_at"] else f"expires {told['expires_at'] or 'never'}"
    return f"{told['id']}  {told['scope']:<5}  {told['begins']}…  {told['label']} ({told['user']}), {ended}"
