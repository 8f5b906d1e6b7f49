"""Notifications: the inbox, what a member wants to be told, webhooks, and a test of all channels."""

import uuid
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from tenants import operations
from tenants.auth import permission_required
from tenants.forms import WebhookForm, WishesForm
from tenants.models import Notice
from tenants.notifications import choosing, endpoints, inbox, trying
from tenants.standing import Effect

PAGE_ROWS = 30
T = TypeVar("T")


@never_cache
@permission_required("view", Effect.HARMLESS)
@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """One's own inbox, newest first."""
    kind = request.GET.get("kind", "")
    shown = inbox.Shown(
        unread="unread" in request.GET, kind=kind if kind in Notice.Kind.values else ""
    )
    user: Any = request.user
    pages = Paginator(inbox.list_inbox(user_id=user.pk, shown=shown), PAGE_ROWS)
    chosen = {"kind": shown.kind, "unread": "1" if shown.unread else ""}
    context = {
        "page": pages.get_page(request.GET.get("page")),
        "shown": shown,
        "kinds": Notice.Kind.choices,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
    }
    return render(request, "tenants/notifications.html", context)


@never_cache
@permission_required("view", Effect.HARMLESS)
@require_GET
def unread_count(request: HttpRequest) -> HttpResponse:
    """What the bell says."""
    user: Any = request.user
    return JsonResponse({"unread": inbox.count_unread(user_id=user.pk)})


@permission_required("view", Effect.HARMLESS)
@require_POST
def read_notification(request: HttpRequest, notification_id: uuid.UUID) -> HttpResponse:
    """Mark one as read, and go where it leads."""
    user: Any = request.user
    try:
        found = inbox.mark_read(
            notification_id=notification_id, user_id=user.pk, now=timezone.now()
        )
    except inbox.NoticeNotFound:
        raise Http404 from None
    is_open = request.POST.get("open") and found.notice.path
    return redirect(found.notice.path if is_open else "notifications")


@permission_required("view", Effect.HARMLESS)
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything as read."""
    user: Any = request.user
    inbox.mark_all_read(user_id=user.pk, now=timezone.now())
    return redirect("notifications")


@permission_required("trade", Effect.HARMLESS)
@require_POST
def acknowledge(request: HttpRequest, notification_id: uuid.UUID) -> HttpResponse:
    """Somebody sees to it: no more reminders to anybody."""
    user: Any = request.user
    try:
        inbox.acknowledge(notification_id=notification_id, actor=user, now=timezone.now())
    except inbox.NoticeNotFound:
        raise Http404 from None
    messages.success(request, "Acknowledged: nobody is reminded of it any more.")
    return redirect("notifications")


@never_cache
@permission_required("view", Effect.HARMLESS)
def notification_settings(request: HttpRequest) -> HttpResponse:
    """One's own wishes; for owners the webhooks, too."""
    user: Any = request.user
    form = WishesForm(request.POST or None, initial=_initial(user.pk))
    if request.method == "POST" and form.is_valid():
        try:
            choosing.change_wishes(
                tenant_id=request.tenant.id,  # type: ignore[attr-defined]
                user_id=user.pk,
                changed=form.changed_wishes(),
            )
        except choosing.InvalidWishes as error:
            form.add_error(error.field, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("notification_settings")
    return _settings_page(request, form=form)


def _initial(user_id: int) -> dict[str, Any]:
    wishes = choosing.get_wishes(user_id=user_id)
    told = {name: getattr(wishes, name) for name in WishesForm.base_fields}
    kinds = {name: sorted(told[name]) for name in ("inbox_kinds", "email_kinds")}
    return {**told, **kinds}  # a checkbox knows lists only


def _settings_page(request: HttpRequest, **given: Any) -> HttpResponse:
    user: Any = request.user
    may_manage = request.tenant.allows("manage")  # type: ignore[attr-defined]
    hooks = endpoints.list_endpoints() if may_manage else []
    context = {
        "form": WishesForm(initial=_initial(user.pk)),
        "hook_form": WebhookForm(),
        "hooks": [(hook, endpoints.last_delivery(hook)) for hook in hooks],
        **given,
    }
    return render(request, "tenants/notification_settings.html", context)


@never_cache
@permission_required("manage")
@require_POST
def add_webhook(request: HttpRequest) -> HttpResponse:
    """Keep an endpoint; its secret is shown once."""
    form = WebhookForm(request.POST)
    secret = ""
    if form.is_valid():
        try:
            _, secret = endpoints.add_endpoint(
                tenant_id=request.tenant.id,  # type: ignore[attr-defined]
                actor=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
                **form.cleaned_data,
            )
            form = WebhookForm()
        except (endpoints.InvalidEndpoint, operations.VaultClosed) as error:
            form.add_error(None, str(error))
    return _settings_page(request, hook_form=form, secret=secret)


@never_cache
@permission_required("manage", Effect.HARMLESS)
@require_POST
def rotate_webhook(request: HttpRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    """Another secret, shown once."""
    try:
        _, secret = _change(request, endpoints.rotate_secret, endpoint_id)
    except operations.VaultClosed as error:
        messages.error(request, str(error))
        return redirect("notification_settings")
    return _settings_page(request, secret=secret)


@permission_required("manage", Effect.HARMLESS)
@require_POST
def disable_webhook(request: HttpRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    """Tell an endpoint nothing until it is enabled."""
    _change(request, endpoints.disable_endpoint, endpoint_id)
    messages.success(request, "The webhook is told nothing until it is enabled.")
    return redirect("notification_settings")


@permission_required("manage")
@require_POST
def enable_webhook(request: HttpRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    """Tell an endpoint what happens from now on."""
    _change(request, endpoints.enable_endpoint, endpoint_id)
    messages.success(request, "The webhook is told what happens from now on.")
    return redirect("notification_settings")


@permission_required("manage", Effect.HARMLESS)
@require_POST
def remove_webhook(request: HttpRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    """Tell an endpoint nothing more."""
    _change(request, endpoints.remove_endpoint, endpoint_id)
    messages.success(request, "The webhook is told nothing more.")
    return redirect("notification_settings")


def _change(request: HttpRequest, act: Callable[..., T], endpoint_id: uuid.UUID) -> T:
    """What an operation on an endpoint gives; the page of 404 where there is none."""
    try:
        return act(endpoint_id=endpoint_id, actor=request.user, now=timezone.now())
    except endpoints.EndpointNotFound:
        raise Http404 from None


@permission_required("manage")
@require_POST
def test_channels(request: HttpRequest) -> HttpResponse:
    """A test through each channel; the page says what came of each."""
    workspace: Any = request.tenant  # type: ignore[attr-defined]
    outcomes = trying.try_channels(
        tenant_id=workspace.id,
        workspace=workspace.name,
        actor=request.user,  # type: ignore[arg-type]
        now=timezone.now(),
    )
    return _settings_page(request, outcomes=outcomes)
