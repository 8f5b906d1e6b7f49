"""Exchange accounts: added, renamed, put out of use; their keys added, checked, disabled; going live."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants import operations as tenant_operations
from tenants.auth import permission_required, refusal_of_word, require_standing
from tenants.forms import ExchangeKeyForm
from tenants.models import ExchangeAccount
from tenants.standing import Effect
from tenants.step_up import step_up_required
from trading import operations
from trading.forms import AccountForm, AccountNameForm, AccountTierForm
from trading.operations import live_gate
from trading.queries import accounts as queries
from trading.queries import evidence
from trading.queries.accounts import AccountView
from trading.queries.bots import list_bots
from trading.queries.risk import list_limits
from trading.queries.settings import current_settings
from trading.workspace_forms import ResetForm


@require_GET
@never_cache
@permission_required("view")
def accounts(request: HttpRequest) -> HttpResponse:
    """Every account of the workspace; keys end in what is shown, and nothing more of them is."""
    listed = queries.view_accounts()
    is_checking = any(one.is_being_checked for one in listed)
    context = {"accounts": listed, "is_checking": is_checking}
    return render(request, "trading/accounts/list.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@permission_required("manage", Effect.OPEN)
def add(request: HttpRequest) -> HttpResponse:
    """An account on paper, with an engine; its key comes next, where the venue takes one."""
    form = AccountForm(request.POST or None, initial=_usual(request))
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            account = operations.open_account(
                tenant_id=request.tenant.id,  # type: ignore[attr-defined]
                actor=actor,
                now=timezone.now(),
                **form.cleaned_data,
            )
        except operations.InvalidAccount as error:
            form.add_error(error.field, sentence(error.words))
        else:
            messages.success(request, f"{account} is there, on paper. Give it a bot next.")
            if "with_key" in request.POST and account.venue in ExchangeAccount.WITH_KEYS:
                return redirect("account_key", account.id)
            return redirect(f"{reverse('new_bot')}?account={account.id}")
    return render(request, "trading/accounts/new.html", {"form": form})


def _usual(request: HttpRequest) -> dict[str, Any]:
    return {"venue": request.GET.get("venue"), "cash": current_settings().paper_cash}


@require_http_methods(["GET", "POST"])
@never_cache
@permission_required("manage")
def rename(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Another name, or out of use."""
    view = _view(account_id)
    form = AccountNameForm(request.POST or None, initial={"name": view.account.label})
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            operations.rename_account(
                account_id=account_id, actor=actor, now=timezone.now(), **form.cleaned_data
            )
        except operations.InvalidAccount as error:
            form.add_error(error.field, sentence(error.words))
        else:
            messages.success(request, "Renamed.")
            return redirect("accounts")
    tier_form = AccountTierForm(initial={"tier": view.account.tier})
    limits = list_limits(bot for bot in list_bots() if bot.account_id == account_id)
    context = {"one": view, "form": form, "tier_form": tier_form, "limits": limits}
    return render(request, "trading/accounts/settings.html", context)


@require_POST
@permission_required("manage")
def tier(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Its standing at the venue."""
    actor: Any = request.user
    try:
        account = operations.choose_tier(
            account_id=account_id,
            tier=request.POST.get("tier", ""),
            actor=actor,
            now=timezone.now(),
        )
    except operations.AccountNotFound:
        raise Http404 from None
    except operations.TierRefused as error:
        messages.error(request, sentence(str(error)))
    else:
        messages.success(request, f"{account} is of the tier {account.get_tier_display()} now.")
    return redirect("account_settings", account_id)


@require_POST
@permission_required("manage", Effect.HARMLESS)
def protection(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """What guards the account while no engine does."""
    actor: Any = request.user
    try:
        operations.choose_protection(
            account_id=account_id,
            protection=request.POST.get("protection", ""),
            actor=actor,
            now=timezone.now(),
        )
    except operations.AccountNotFound:
        raise Http404 from None
    except operations.ProtectionRefused as error:
        messages.error(request, sentence(str(error)))
    else:
        messages.success(request, "Chosen. It holds from its engine's next start on.")
    return redirect("account_settings", account_id)


@require_POST
@permission_required("manage", Effect.HARMLESS)
def use(request: HttpRequest, account_id: uuid.UUID, act: str) -> HttpResponse:
    """Out of use, or into use again."""
    if act != "disable":
        require_standing(request, Effect.OPEN)
    elif refusal := refusal_of_word(request, "disable"):
        messages.error(request, refusal)
        return redirect("account_settings", account_id)
    do = operations.disable_account if act == "disable" else operations.enable_account
    actor: Any = request.user
    try:
        account = do(account_id=account_id, actor=actor, now=timezone.now())
    except operations.AccountNotFound:
        raise Http404 from None
    except operations.InvalidAccount as error:
        messages.error(request, sentence(error.words))
    else:
        messages.success(request, f"{account} is {act}d.")
    return redirect("accounts")


def sentence(words: str) -> str:
    """With a capital and a full stop."""
    return f"{words[0].upper()}{words[1:]}."


@sensitive_post_parameters("key", "secret")
@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
@never_cache
@permission_required("manage", Effect.HARMLESS)
@step_up_required
def key(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Enter the key of an account, or another one in its place."""
    view, form = _view(account_id), ExchangeKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            tenant_operations.seal_key(
                account_id=account_id, actor=actor, now=timezone.now(), **form.cleaned_data
            )
        except (tenant_operations.InvalidCredential, tenant_operations.VaultClosed) as error:
            form.add_error(None, sentence(str(error)))
        else:
            messages.success(request, "The key is sealed; the venue is being asked what it may.")
            return redirect("accounts")
    return render(request, "trading/accounts/key.html", {"one": view, "form": form})


@require_POST
@permission_required("manage", Effect.HARMLESS)
def check(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Have the venue asked what the key may; the page tells when it has answered."""
    actor: Any = request.user
    try:
        tenant_operations.ask_check(account_id=account_id, actor=actor, now=timezone.now())
    except tenant_operations.CredentialNotFound:
        raise Http404 from None
    messages.success(request, "The venue is being asked; this page tells what it says.")
    return redirect("accounts")


@require_POST
@permission_required("manage", Effect.HARMLESS)
def disable(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Forget the key. Taking a right away needs no second factor: it may be an emergency."""
    actor: Any = request.user
    try:
        operations.disable_account_key(account_id=account_id, actor=actor, now=timezone.now())
    except tenant_operations.CredentialNotFound:
        raise Http404 from None
    messages.success(request, "The key is forgotten. Withdraw it at the venue too.")
    return redirect("accounts")


@require_http_methods(["GET", "POST"])
@never_cache
@permission_required("manage", Effect.HARMLESS)
@step_up_required
def mode(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """From paper to real orders and back, with what is missing for it."""
    view = _view(account_id)
    modes = ExchangeAccount.Mode
    wanted = modes.PAPER if view.account.mode == modes.LIVE else modes.LIVE
    problem = ""
    if request.method == "POST":
        if request.POST.get("mode") != modes.PAPER:
            require_standing(request, Effect.OPEN)
        actor: Any = request.user
        try:
            operations.switch_mode(
                account_id=account_id,
                mode=request.POST.get("mode", ""),
                override=request.POST.get("override", ""),
                actor=actor,
                now=timezone.now(),
            )
        except operations.ModeRefused as error:
            problem = str(error)
        else:
            messages.success(request, f"{view.account} is in {wanted.label.lower()} mode now.")
            return redirect("accounts")
    return render(
        request,
        "trading/accounts/mode.html",
        {"one": view, "wanted": wanted, "problem": problem, **_missing(view, wanted)},
    )


@require_http_methods(["GET", "POST"])
@never_cache
@permission_required("trade")
def reset(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Start over on paper, with this much money."""
    view = _view(account_id)
    form = ResetForm(request.POST or None, initial={"cash": current_settings().paper_cash})
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            operations.reset_paper(
                account_id=account_id, actor=actor, now=timezone.now(), **form.cleaned_data
            )
        except operations.ResetRefused as error:
            form.add_error(None, sentence(str(error)))
        else:
            messages.success(
                request, f"{view.account} starts over; start its engine when you like."
            )
            return redirect("accounts")
    return render(request, "trading/accounts/reset.html", {"one": view, "form": form})


def _missing(view: AccountView, wanted: str) -> dict[str, Any]:
    if wanted == ExchangeAccount.Mode.PAPER:
        return {}
    now = timezone.now()
    return {
        "evidence": evidence.list_evidence(view.account, now=now)
        if view.account.asks_proof
        else [],
        "paper_days": evidence.PAPER_DAYS,
        "paper_fills": evidence.PAPER_FILLS,
        "least_reason": operations.LEAST_REASON,
        "needed": live_gate.needed_for_any(view.account, now=now),
        "missing": live_gate.missing_evidence(view.account, now=now),
    }


def _view(account_id: uuid.UUID) -> AccountView:
    try:
        return queries.view_account(account_id=account_id)
    except ExchangeAccount.DoesNotExist:
        raise Http404 from None
