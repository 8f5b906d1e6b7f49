"""Markets with a member's favourites first, and what the workspace is set to."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants.auth import permission_required
from trading import operations
from trading.queries.favorites import list_favorites
from trading.queries.scanner import list_scanned
from trading.queries.settings import get_in_force, list_versions
from trading.workspace_forms import FavoriteForm, SettingsForm

VERSIONS_SHOWN = 20


@require_GET
@never_cache
@permission_required("view")
def markets(request: HttpRequest) -> HttpResponse:
    """The last scan of every market, favourites first."""
    marked = {one.pair for one in list_favorites(user_id=request.user.pk)}
    found = sorted(list_scanned(), key=lambda one: one.market.instrument.symbol not in marked)
    return render(request, "trading/markets.html", {"markets": found, "marked": marked})


@require_POST
@permission_required("trade")
def favorite(request: HttpRequest, act: str) -> HttpResponse:
    """Mark a pair, or take the mark away."""
    form = FavoriteForm(request.POST)
    if not form.is_valid():
        raise Http404
    pair = form.cleaned_data["pair"]
    member: Any = request.user
    try:
        if act == "mark":
            workspace: Any = request.tenant  # type: ignore[attr-defined]
            operations.mark_favorite(
                tenant_id=workspace.id, user=member, pair=pair, now=timezone.now()
            )
        else:
            operations.unmark_favorite(user=member, pair=pair)
    except operations.TooManyFavorites as error:
        messages.error(request, str(error))
    except operations.FavoriteNotFound:
        raise Http404 from None
    return redirect("markets")


@require_http_methods(["GET", "POST"])
@never_cache
@permission_required("manage")
def settings(request: HttpRequest) -> HttpResponse:
    """Read and change; the newest versions beneath."""
    found = get_in_force()
    initial = {**found.settings.to_json(), "based_on": found.version}
    form = SettingsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and _change(request, form):
        return redirect("settings")
    context = {"form": form, "in_force": found, "versions": list_versions(most=VERSIONS_SHOWN)}
    return render(request, "trading/settings.html", context)


def _change(request: HttpRequest, form: SettingsForm) -> bool:
    workspace: Any = request.tenant  # type: ignore[attr-defined]
    actor: Any = request.user
    values = dict(form.cleaned_data)
    try:
        operations.change_settings(
            tenant_id=workspace.id,
            based_on=values.pop("based_on"),
            values=values,
            actor=actor,
            now=timezone.now(),
        )
    except operations.SettingsMoved as error:
        form.add_error(None, f"{str(error)[0].upper()}{str(error)[1:]}.")
    except operations.InvalidSetting as error:
        form.add_error(error.field, f"{error.words[0].upper()}{error.words[1:]}.")
    else:
        messages.success(request, "The settings are in force.")
        return True
    return False
