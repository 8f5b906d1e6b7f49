"""The letter of an invitation: sent once the row is committed, for only now is its token known."""

from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from tenants import operations
from tenants.models import Invitation
from tenants.roles import Role
from tenants.scoping import tenant_scope

log = structlog.get_logger(__name__)


def site_of(request: HttpRequest) -> str:
    """The address letters lead to: the installation's own, or else the one this request came by."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


def send_on_commit(*, invitation: Invitation, token: str, workspace: str, site: str) -> None:
    """Write to the invited address; a letter that was not taken leaves ``sent_at`` empty.

    Args:
        site: the address of this installation, as the reader's browser finds it.
    """
    letter = _letter(
        invitation, link=f"{site}/invitation/{token}/", workspace=" ".join(workspace.split())
    )
    transaction.on_commit(lambda: _send(letter, invitation))


def _letter(invitation: Invitation, *, link: str, workspace: str) -> EmailMultiAlternatives:
    told = {
        "invitation": invitation,
        "inviter": invitation.invited_by.email,
        "workspace": workspace,
        "role": invitation.role.lower(),
        "meaning": Role(invitation.role).meaning,
        "link": link,
    }
    letter = EmailMultiAlternatives(
        subject=f"NovaPulse: an invitation to {workspace}",
        body=render_to_string("tenants/email/invitation.txt", told),
        to=[invitation.email],
    )
    letter.attach_alternative(render_to_string("tenants/email/invitation.html", told), "text/html")
    return letter


def _send(letter: EmailMultiAlternatives, invitation: Invitation) -> None:
    try:
        letter.send()
    except (SMTPException, OSError) as error:
        log.warning("invitation_not_sent", invitation=str(invitation.id), error=str(error))
        return
    with tenant_scope(invitation.tenant_id):
        operations.note_letter_sent(digest=invitation.digest, now=timezone.now())
