"""Figures: the chart of a market, how bots have done, and what of their limits is used."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView
from trading import tasks
from trading.api import figure_answers as answers
from trading.api.filtering import ACCOUNT, CHAPTER, checked
from trading.api.paging import PAGE, page_of_bots
from trading.api.schemas import answers as told
from trading.filters import ChapterFilter, ChartFilter
from trading.marketdata.timeframes import format_timeframe
from trading.models import Decision, Engine
from trading.queries.charts import find_charted, get_chart
from trading.queries.decisions import get_chart as bars_around
from trading.queries.performance import list_performance
from trading.queries.risk import list_limits

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MARKET = (
    OpenApiParameter("engine", OpenApiTypes.UUID, required=True),
    OpenApiParameter(
        "market", {"type": "integer", "minimum": 0}, description="its number in the engine; 0"
    ),
    OpenApiParameter(
        "strategies", description="with commas: whose indicators to tell; none without"
    ),
)


class Chart(ApiView):
    """One market of an engine."""

    needs: ClassVar = {"GET": "view"}

    @told("Read bars up to the last one decided on, fills, stops, scores, indicators and equity",
          answers.Chart, parameters=MARKET, problems=(400, 404))  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = checked(ChartFilter(request.query_params)).cleaned_data
        engine_id, index = asked["engine"], asked["market"] or 0
        try:
            found = get_chart(engine_id=engine_id, market_index=index)
            plots = self._plots(engine_id, index, asked["strategies"])
        except (Engine.DoesNotExist, IndexError):
            raise NotFound(f"no market {index} of an engine {engine_id} here") from None
        return Response(answers.Chart({**_dated(found), "indicators": plots}).data)

    def _plots(self, engine_id: UUID, index: int, strategies: list[str]) -> dict[str, Any] | None:
        if not strategies:
            return None
        charted = find_charted(engine_id=engine_id, market_index=index)
        found = tasks.read_or_ask_plots(charted, strategies=strategies)
        return {"words": "", "opened": [], "series": [], "timeframe_seconds": None, **found}


class DecisionBars(ApiView):
    """What a decision saw, and what came of it."""

    needs: ClassVar = {"GET": "view"}

    @told("Read the bars before and after the one that was decided on", answers.Bars,
          problems=(404,))  # fmt: skip
    def get(self, request: Request, decision_id: int) -> Response:
        try:
            found = bars_around(decision_id=decision_id)
        except Decision.DoesNotExist:
            raise NotFound(f"no decision {decision_id} in this workspace") from None
        return Response(answers.Bars(_dated_bars(found)).data)


class Performance(ApiView):
    """How each account and bot has done."""

    needs: ClassVar = {"GET": "view"}

    @told("Read what each account and bot made, how often it won, and its deepest fall",
          answers.Performance, parameters=(ACCOUNT, CHAPTER), problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        form = checked(ChapterFilter(request.query_params))
        found = list_performance(
            account_id=form.wanted.account_id, chapter=form.cleaned_data["chapter"]
        )
        told = {"accounts": found, "chapters": form.chapters}
        return Response(answers.Performance(told).data)


class Risk(ApiView):
    """Limits and their use."""

    needs: ClassVar = {"GET": "view"}

    @told("Read each bot's risk limits, and how much of each is used", answers.Risk,
          parameters=PAGE, problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        shown, more = page_of_bots(request)
        return Response(answers.Risk({"bots": list_limits(shown), "next": more}).data)


def _dated(chart: Mapping[str, Any]) -> dict[str, Any]:
    """The page's chart with moments instead of milliseconds."""
    return {
        **_dated_bars(chart),
        "fills": [{**fill, "filled_at": _at(fill["filled_ms"])} for fill in chart["fills"]],
        "stops": [{**stop, "opened_at": _at(stop["open_ms"])} for stop in chart["stops"]],
        "scores": [{**one, "opened_at": _at(one["open_ms"])} for one in chart["scores"]],
        "equity": [{"at": _at(ms), "equity": equity} for ms, equity in chart["equity"]],
    }


def _dated_bars(chart: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "symbol": chart["symbol"],
        "price_step": chart["price_step"],
        "timeframe": format_timeframe(chart["timeframe_seconds"]),
        "bars": [{**bar, "opened_at": _at(bar["open_ms"])} for bar in chart["bars"]],
    }


def _at(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)
