"""Invitations: the letter sent again, taken back, opened by its link, accepted or declined."""

import uuid
from datetime import timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants import operations, queries
from tenants.api.throttling import INVITATIONS, WRONG_LINKS, address_of
from tenants.auth import INVITATION_KEY, permission_required
from tenants.middleware import SESSION_KEY
from tenants.models import Invitation
from tenants.notifications.invitation_letter import send_on_commit, site_of
from tenants.scoping import tenant_scope
from tenants.standing import Effect


def too_many_letters(request: HttpRequest) -> str:
    """Why this person's next letter has to wait; empty when it is counted and may be sent."""
    wait = INVITATIONS.take(str(request.user.pk))
    minutes = ceil(wait / 60)
    return f"At most {INVITATIONS.size} letters an hour; wait {minutes} min." if wait else ""


def write_letter(request: HttpRequest, invitation: Invitation, token: str) -> None:
    """To the invited address, once this request's work is kept; the list of the team tells."""
    workspace: Any = request.tenant  # type: ignore[attr-defined]
    send_on_commit(
        invitation=invitation, token=token, workspace=workspace.name, site=site_of(request)
    )
    messages.success(request, f"A letter to {invitation.email} is on its way.")


@permission_required("manage")
@require_POST
def renew_invitation(request: HttpRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Send the letter again, with another link; the first one opens nothing any more."""
    actor: Any = request.user
    if refusal := too_many_letters(request):
        messages.error(request, refusal)
        return redirect("team")
    try:
        write_letter(
            request,
            *operations.renew_invitation(
                invitation_id=invitation_id,
                actor=actor,
                lasts=timedelta(days=settings.INVITATION_DAYS),
                now=timezone.now(),
            ),
        )
    except operations.InvitationGone:
        raise Http404 from None
    return redirect("team")


@permission_required("manage", Effect.HARMLESS)
@require_POST
def revoke_invitation(request: HttpRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Take an invitation back."""
    actor: Any = request.user
    try:
        row = operations.revoke_invitation(
            invitation_id=invitation_id, actor=actor, now=timezone.now()
        )
    except operations.InvitationGone:
        raise Http404 from None
    messages.success(request, f"The invitation of {row.email} opens nothing any more.")
    return redirect("team")


@require_GET
@never_cache
def open_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a letter: the session remembers it, and the token leaves the address line.

    Nothing is settled by a look, so a mail server that follows links uses nothing up.
    """
    digest = operations.digest_of(token)
    if queries.find_invitation(digest=digest, now=timezone.now()) is None:
        request.session.pop(INVITATION_KEY, None)
        wait = WRONG_LINKS.take(address_of(request))
        if wait:
            messages.error(request, f"Too many links that open nothing; wait {ceil(wait)} s.")
            answer = render(request, "tenants/invitation.html", status=429)
            answer["Retry-After"] = str(ceil(wait))
            return answer
    else:
        request.session[INVITATION_KEY] = digest
    return redirect("invitation")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest) -> HttpResponse:
    """What the opened link offers: to sign up, to sign in, to accept, to decline."""
    digest = request.session.get(INVITATION_KEY, "")
    found = queries.find_invitation(digest=digest, now=timezone.now())
    user: Any = request.user
    if request.method == "POST":
        # What was shown must be what is answered: another link may have been opened since.
        if (
            found
            and user.is_authenticated
            and request.POST.get("workspace") == str(found.tenant_id)
        ):
            return _answer(request, found, digest)
        return redirect("invitation")
    context = {
        "invitation": found,
        "is_theirs": found
        and user.is_authenticated
        and queries.has_address(user=user, email=found.email),
        "has_account": found and queries.has_account(email=found.email),
    }
    return render(request, "tenants/invitation.html", context)


def _answer(request: HttpRequest, found: queries.OpenInvitation, digest: str) -> HttpResponse:
    user: Any = request.user
    accepts = request.POST.get("answer") == "accept"
    if accepts and found.refusal:
        messages.error(request, f"Nobody can join now: {found.refusal}.")
        return redirect("invitation")
    act = operations.accept_invitation if accepts else operations.decline_invitation
    try:
        with tenant_scope(found.tenant_id):
            act(digest=digest, user=user, now=timezone.now())
    except operations.InvitationRefused as error:
        messages.error(request, str(error))
        return redirect("invitation")
    except operations.InvitationGone:
        return redirect("invitation")
    del request.session[INVITATION_KEY]
    if not accepts:
        messages.success(request, f"You declined to join {found.workspace}.")
        return redirect("invitation")
    request.session[SESSION_KEY] = str(found.tenant_id)
    messages.success(request, f"You are in {found.workspace} now, as {found.role.lower()}.")
    return redirect("dashboard")
