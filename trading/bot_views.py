"""Bots: what each is set to, by revision; a change is a new revision, a looser limit waits first."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants.auth import permission_required
from tenants.standing import Effect
from tenants.step_up import ask_step_up, has_stepped_up
from trading import operations
from trading.core.loosening import loosened
from trading.filters import RevisionFilter
from trading.forms import BotForm, ParametersForm
from trading.models import Bot, BotRevision, RevisionWait
from trading.queries import accounts
from trading.queries import bots as queries
from trading.queries.evidence import PAPER_DAYS, PAPER_FILLS
from trading.queries.markets import list_tradable
from trading.queries.revision_evidence import missing_for
from trading.queries.settings import current_settings


@require_GET
@never_cache
@permission_required("view")
def bots(request: HttpRequest) -> HttpResponse:
    """Every bot of the workspace."""
    return render(request, "trading/bots/list.html", {"bots": queries.list_bots()})


@require_http_methods(["GET", "POST"])
@never_cache
@permission_required("trade", Effect.OPEN)
def new(request: HttpRequest) -> HttpResponse:
    """A bot on one of the accounts: which one, then its pairs."""
    listed = [one for one in accounts.list_accounts() if one.disabled_at is None]
    chosen = [one for one in listed if request.GET.get("account", str(one.id)) == str(one.id)]
    if len(chosen) != 1:
        return render(request, "trading/bots/which_account.html", {"accounts": listed})
    (account,) = chosen
    instruments = list_tradable(account)
    usual = current_settings()
    initial = {"timeframe": usual.bot_timeframe, "profile": usual.bot_profile}
    form = BotForm(request.POST or None, instruments=instruments, initial=initial)
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        wanted = operations.Wanted(**form.wanted)
        try:
            made = operations.open_bot(
                account_id=account.id, wanted=wanted, actor=actor, now=timezone.now()
            )
        except operations.InvalidBot as error:
            field = error.field if error.field in form.fields else None
            form.add_error(field, f"{error.words[0].upper()}{error.words[1:]}.")
        else:
            messages.success(request, f"{made} is there. Its engine takes it up when it starts.")
            return redirect("engine", made.account.engine.id)
    context = {"account": account, "instruments": instruments, "form": form}
    return render(request, "trading/bots/new.html", context)


@require_GET
@never_cache
@permission_required("view")
def bot(request: HttpRequest, bot_id: uuid.UUID) -> HttpResponse:
    """One revision of a bot, and what it changed."""
    form = RevisionFilter(request.GET)
    asked: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    try:
        shown = queries.show_revision(bot_id=bot_id, **asked)
    except (Bot.DoesNotExist, BotRevision.DoesNotExist):
        raise Http404 from None
    context = {
        "shown": shown,
        "form": form,
        "missing": missing_for(shown.wait.revision, now=timezone.now()) if shown.wait else [],
        "least_reason": operations.LEAST_REASON,
    }
    return render(request, "trading/bots/one.html", context, status=200 if form.is_valid() else 400)


@require_http_methods(["GET", "POST"])
@never_cache
@permission_required("trade")
def edit(request: HttpRequest, bot_id: uuid.UUID) -> HttpResponse:
    """Set parameters; loosening a risk limit needs an owner's second factor and waits."""
    shown = _active(bot_id)
    initial = {"based_on": shown.revision.number}
    form = ParametersForm(request.POST or None, params=shown.params, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            return _change(request, shown, form.cleaned_data["based_on"], form.params)
        except operations.RevisionRefused as error:
            form.add_error(None, str(error))
    groups = [
        (name, [(one, form[one.name]) for one in parameters]) for name, parameters in shown.groups
    ]
    context = {
        "shown": shown,
        "form": form,
        "groups": groups,
        "paper_days": PAPER_DAYS,
        "paper_fills": PAPER_FILLS,
    }
    return render(request, "trading/bots/edit.html", context)


@require_POST
@permission_required("trade")
def revert(request: HttpRequest, bot_id: uuid.UUID, number: int) -> HttpResponse:
    """A new revision with the parameters of an earlier one."""
    shown, former = _active(bot_id), _shown(bot_id, number)
    try:
        return _change(request, shown, shown.revision.number, former.params)
    except operations.RevisionRefused as error:
        messages.error(request, str(error))
    return redirect("bot", bot_id)


@require_POST
@permission_required("manage", Effect.OPEN)
def put_in_force(request: HttpRequest, bot_id: uuid.UUID) -> HttpResponse:
    """Let the revision that has waited take effect."""
    if not has_stepped_up(request):
        return ask_step_up(request, back=reverse("bot", args=[bot_id]))
    actor: Any = request.user
    try:
        operations.put_in_force(
            bot_id=bot_id,
            override=request.POST.get("override", ""),
            actor=actor,
            now=timezone.now(),
        )
    except operations.BotNotFound:
        raise Http404 from None
    except operations.RevisionRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "In force; the engine takes it up at its next start.")
    return redirect("bot", bot_id)


@require_POST
@permission_required("trade", Effect.HARMLESS)
def withdraw(request: HttpRequest, bot_id: uuid.UUID) -> HttpResponse:
    """Give up the revision that waits. Staying tight needs no second factor."""
    actor: Any = request.user
    try:
        operations.withdraw_wait(bot_id=bot_id, actor=actor, now=timezone.now())
    except operations.BotNotFound:
        raise Http404 from None
    except operations.RevisionRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Withdrawn; the active revision stays.")
    return redirect("bot", bot_id)


def _change(
    request: HttpRequest, shown: queries.ShownRevision, based_on: int, params: dict[str, Any]
) -> HttpResponse:
    """Where it goes after the change, or to the second factor it needs first."""
    user: Any = request.user
    may_loosen = request.tenant.allows("manage")  # type: ignore[attr-defined]
    if may_loosen and loosened(shown.params, params) and not has_stepped_up(request):
        return ask_step_up(request, back=reverse("bot", args=[shown.bot.id]))
    wait = operations.change_bot(
        bot_id=shown.bot.id,
        based_on=based_on,
        params=params,
        asker=operations.Asker(user, may_loosen),
        now=timezone.now(),
    )
    messages.success(request, _told(wait))
    return redirect("bot", shown.bot.id)


def _told(wait: RevisionWait | None) -> str:
    if wait is None:
        return "Saved; the engine takes it up at its next start."
    if not wait.loosens:
        return "Saved, not in force: this bot trades real money, and proof is missing."
    return (
        f"Saved. It loosens {', '.join(wait.loosens)}: an owner may put it in force from "
        f"{wait.due_at:%Y-%m-%d %H:%M} UTC."
    )


def _active(bot_id: uuid.UUID) -> queries.ShownRevision:
    return _shown(bot_id, None)


def _shown(bot_id: uuid.UUID, number: int | None) -> queries.ShownRevision:
    try:
        return queries.show_revision(bot_id=bot_id, number=number)
    except (Bot.DoesNotExist, BotRevision.DoesNotExist):
        raise Http404 from None
