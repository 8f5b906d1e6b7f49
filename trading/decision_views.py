"""Why did it trade, or not: decisions by filter, and one of them gate by gate."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tenants.auth import permission_required
from trading.filters import DecisionFilter, write_place
from trading.models import Decision
from trading.queries import decisions as queries

ROWS_SHOWN = 50


@require_GET
@never_cache
@permission_required("view")
def decisions(request: HttpRequest) -> HttpResponse:
    """What was decided on each bar, newest first."""
    form = DecisionFilter(request.GET)
    kept = [(name, value) for name, value in request.GET.items() if value and name != "before"]
    context: dict[str, Any] = {
        "form": form,
        "bots": queries.list_bots(),
        "pairs": queries.list_pairs(),
        "query": urlencode(kept),
    }
    if form.is_valid():
        found = queries.list_decisions(
            form.sought, before=form.cleaned_data["before"], most=ROWS_SHOWN + 1
        )
        context |= {
            "decisions": found[:ROWS_SHOWN],
            "older": write_place(found[ROWS_SHOWN - 1].place) if len(found) > ROWS_SHOWN else "",
            "is_filtered": form.sought.is_filtered,
            "is_first": form.cleaned_data["before"] is None,
        }
    status = 200 if form.is_valid() else 400
    return render(request, "trading/decisions/list.html", context, status=status)


@require_GET
@never_cache
@permission_required("view")
def decision(request: HttpRequest, decision_id: int) -> HttpResponse:
    """Every gate in order, and the smallest change that would have passed the one that refused."""
    try:
        explained = queries.get_decision(decision_id=decision_id)
    except Decision.DoesNotExist:
        raise Http404 from None
    return render(request, "trading/decisions/one.html", {"e": explained})


@require_GET
@never_cache
@permission_required("view")
def chart(request: HttpRequest, decision_id: int) -> HttpResponse:
    """The bars around it."""
    try:
        return JsonResponse(queries.get_chart(decision_id=decision_id))
    except Decision.DoesNotExist:
        raise Http404 from None
