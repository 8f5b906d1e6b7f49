"""Notifications from the terminal: a test through each channel of a workspace."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.models import Membership, Tenant
from tenants.notifications.trying import Outcome, try_channels
from tenants.roles import Role
from tenants.scoping import staff_scope, tenant_scope

EXIT_NOT_SENT, EXIT_NOT_FOUND = 1, 2


class Command(BaseCommand):
    """What the button of the settings page does."""

    help = "Send a test through each channel of a workspace and say what came of each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose channels."""
        parser.epilog = "exit codes: 0 all were sent, 1 one was not, 2 not found"
        acts = parser.add_subparsers(dest="act", required=True)
        test = acts.add_parser("test", help="inbox and letter to one member, and every webhook")
        test.add_argument("--tenant", required=True, help="the workspace's short name")
        test.add_argument("--user", default="", help="e-mail address; default the first owner")
        test.add_argument("--json", action="store_true")

    def handle(self, *, tenant: str, user: str, json: bool, **_: Any) -> None:
        """Send and tell."""
        with staff_scope():
            found = Tenant.objects.filter(slug=tenant).first()
        if found is None:
            raise CommandError(f"tenant {tenant!r}: there is none", returncode=EXIT_NOT_FOUND)
        with tenant_scope(found.id):
            actor = _member(user).user
            outcomes = try_channels(
                tenant_id=found.id, workspace=found.name, actor=actor, now=timezone.now()
            )
        self.stdout.write(_as_json(outcomes) if json else _in_words(outcomes))
        if not all(one.sent for one in outcomes):
            raise CommandError("not every channel took it", returncode=EXIT_NOT_SENT)


def _member(email: str) -> Membership:
    members = Membership.objects.select_related("user").order_by("id")
    wanted = {"user__email": email.lower()} if email else {"role": Role.OWNER.value}
    found: Membership | None = members.filter(**wanted).first()
    if found is None:
        raise CommandError(f"--user {email}: no member of it", returncode=EXIT_NOT_FOUND)
    return found


def _as_json(outcomes: list[Outcome]) -> str:
    return json.dumps([asdict(one) for one in outcomes], indent=2)


def _in_words(outcomes: list[Outcome]) -> str:
    return "\n".join(
        f"{one.channel:8} {one.recipient}: {'sent' if one.sent else f'not sent, {one.reason}'}"
        for one in outcomes
    )
