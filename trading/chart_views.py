"""The chart page of a market, and what its script asks for: bars with decisions, and indicators."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tenants.auth import permission_required
from trading import tasks
from trading.models import Engine
from trading.queries import chart_page, charts
from trading.queries import plots as queries


@require_GET
@never_cache
@permission_required("view")
def page(request: HttpRequest, engine_id: uuid.UUID | None = None, market: int = 0) -> HttpResponse:
    """Candles with what the strategies saw, of one market or of the first one there is."""
    asked = request.GET.get("show")
    try:
        shown = chart_page.get_page(engine_id=engine_id, market_index=market, asked=asked)
    except (Engine.DoesNotExist, IndexError):
        raise Http404 from None
    return render(request, "trading/chart.html", {"p": shown})


@require_GET
@never_cache
@permission_required("view")
def chart(request: HttpRequest, engine_id: uuid.UUID, market: int) -> HttpResponse:
    """Bars, fills, stops, scores and equity of one market."""
    try:
        return JsonResponse(charts.get_chart(engine_id=engine_id, market_index=market))
    except (Engine.DoesNotExist, IndexError):
        raise Http404 from None


@require_GET
@never_cache
@permission_required("view")
def plots(request: HttpRequest, engine_id: uuid.UUID, market: int) -> HttpResponse:
    """Indicators of some strategies; where no worker has drawn them yet, one is asked."""
    try:
        strategies = queries.check_strategies(request.GET.get("strategies", ""))
        charted = charts.find_charted(engine_id=engine_id, market_index=market)
    except queries.UnknownStrategy as error:
        return JsonResponse({"state": queries.FAILED, "words": str(error)}, status=400)
    except (Engine.DoesNotExist, IndexError):
        raise Http404 from None
    return JsonResponse(tasks.read_or_ask_plots(charted, strategies=strategies))
