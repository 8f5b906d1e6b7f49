"""Health, welcome, workspace switch, team and the development mailbox."""

import email
import uuid
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default as email_policy
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from tenants import operations, queries
from tenants.auth import is_mailbox_open, permission_required, refusal_of_word
from tenants.forms import InvitationForm, KeyForm, WorkspaceForm
from tenants.invitation_views import too_many_letters, write_letter
from tenants.middleware import SESSION_KEY
from tenants.models import Membership
from tenants.roles import Role, Scope
from tenants.standing import Effect
from tenants.step_up import ask_step_up, has_stepped_up

LETTERS_SHOWN = 30
LETTER_END = b"-" * 79  # what Django's file backend writes after each


@require_GET
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is looked at."""
    return JsonResponse({"status": "ok"})


@login_required
def welcome(request: HttpRequest) -> HttpResponse:
    """Name a workspace; the first page of somebody who has none."""
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        tenant = operations.create_tenant(
            name=form.cleaned_data["name"],
            slug=form.free_slug(),
            owner=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
        request.session[SESSION_KEY] = str(tenant.id)
        return redirect("dashboard")
    return render(request, "tenants/welcome.html", {"form": form})


TOKENS = (
    ("up", "gain, passed"),
    ("down", "loss, refused"),
    ("warn", "soon to be looked at"),
    ("accent", "links, the main act"),
    ("axis", "words of charts"),
    ("grid", "lines of charts"),
)


@login_required
@require_GET
def style_guide(request: HttpRequest) -> HttpResponse:
    """What pages are made of, for those who build them."""
    setting = KeyForm(auto_id="setting_%s")["days"]
    context = {"tokens": TOKENS, "form": KeyForm(), "setting": setting}
    return render(request, "tenants/style_guide.html", context)


@login_required
@require_POST
def switch_workspace(request: HttpRequest) -> HttpResponse:
    """Enter another workspace of one's own."""
    wanted = request.POST.get("tenant", "")
    user: Any = request.user
    mine = queries.memberships(user_id=user.pk)
    if wanted not in {str(workspace.id) for workspace in mine}:
        raise Http404
    request.session[SESSION_KEY] = wanted
    return redirect("dashboard")


@permission_required("view")
def team(request: HttpRequest) -> HttpResponse:
    """Members and roles; owners invite, change and remove."""
    workspace: Any = request.tenant  # type: ignore[attr-defined]
    form = InvitationForm(request.POST or None)
    if request.method == "POST":
        if not workspace.may_manage:
            raise PermissionDenied
        if form.is_valid():
            if form.cleaned_data["role"] == Role.OWNER and not has_stepped_up(request):
                return ask_step_up(request)  # an owner may keep keys and go live
            if _invite(request, form):
                return redirect("team")
    user: Any = request.user
    context = {
        "form": form,
        "members": queries.list_members(),
        "invitations": queries.list_invitations() if workspace.may_manage else (),
        "roles": list(Role),
        "workspaces": queries.memberships(user_id=user.pk),
        "now": timezone.now(),
    }
    return render(request, "tenants/team.html", context)


def _invite(request: HttpRequest, form: InvitationForm) -> bool:
    if refusal := too_many_letters(request):
        form.add_error(None, refusal)
        return False
    try:
        invitation, token = operations.invite_person(
            tenant_id=request.tenant.id,  # type: ignore[attr-defined]
            email=form.cleaned_data["email"],
            role=Role(form.cleaned_data["role"]),
            actor=request.user,  # type: ignore[arg-type]
            lasts=timedelta(days=settings.INVITATION_DAYS),
            now=timezone.now(),
        )
    except operations.InvitationRefused as error:
        form.add_error("email", str(error))
        return False
    write_letter(request, invitation, token)
    return True


@permission_required("manage", Effect.HARMLESS)
@require_POST
def change_member(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Give a member another role, or remove them."""
    membership = get_object_or_404(Membership, id=membership_id)
    role = request.POST.get("role", "")
    actor: Any = request.user
    if role == Role.OWNER and not has_stepped_up(request):
        return ask_step_up(request, back=reverse("team"))
    try:
        if role == "REMOVE":
            operations.remove_member(membership=membership, actor=actor, now=timezone.now())
        else:
            operations.change_role(
                membership=membership, role=Role(role), actor=actor, now=timezone.now()
            )
    except operations.LastOwner as error:
        messages.error(request, str(error))
    except ValueError:
        messages.error(request, f"{role!r} is not a role.")
    return redirect("team")


@never_cache
@permission_required("manage")
def keys(request: HttpRequest) -> HttpResponse:
    """API keys of the workspace; a new one is shown once."""
    workspace: Any = request.tenant  # type: ignore[attr-defined]
    form = KeyForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["scope"] == Scope.ADMIN and not has_stepped_up(request):
            return ask_step_up(request)  # such a key may itself keep keys and go live
        try:
            _, secret = operations.issue_key(
                tenant_id=workspace.id,
                user=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
                **form.cleaned_data,
            )
            form = KeyForm()
        except operations.InvalidKey as error:
            form.add_error(None, str(error))
    context = {"form": form, "keys": queries.list_api_keys(), "secret": secret}
    return render(request, "tenants/keys.html", {**context, "now": timezone.now()})


@permission_required("manage", Effect.HARMLESS)
@require_POST
def revoke_key(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    """End a key for ever."""
    actor: Any = request.user
    if refusal := refusal_of_word(request, "revoke"):
        messages.error(request, refusal)
        return redirect("keys")
    try:
        operations.revoke_key(key_id=key_id, actor=actor, now=timezone.now())
    except operations.KeyNotFound:
        raise Http404 from None
    messages.success(request, "The key opens nothing any more.")
    return redirect("keys")


@require_GET
@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    """Letters this installation would have sent; only on a developer's own machine."""
    if not is_mailbox_open(request):
        raise Http404
    letters = list(islice(_letters(Path(settings.EMAIL_FILE_PATH)), LETTERS_SHOWN))
    return render(request, "tenants/mailbox.html", {"letters": letters})


def _letters(folder: Path) -> Iterator[dict[str, str]]:
    """The newest first; a file holds one or more of them, each after the other."""
    for path in sorted(folder.glob("*.log"), key=lambda p: p.stat().st_mtime_ns, reverse=True):
        for text in reversed(path.read_bytes().split(LETTER_END)):
            if text.strip():
                yield _shown(email.message_from_bytes(text.strip(), policy=email_policy))


def _shown(letter: EmailMessage) -> dict[str, str]:
    body = letter.get_body(("plain",))
    return {
        "to": str(letter["To"]),
        "subject": str(letter["Subject"]),
        "date": str(letter["Date"]),
        "text": str(body.get_content()).strip() if body is not None else "",
    }
