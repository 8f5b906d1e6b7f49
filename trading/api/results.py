"""Results: where closed trades made and lost money, and how orders were executed."""

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView
from trading.api import result_answers as answers
from trading.api.filtering import ACCOUNT, BOT, CHAPTER, PAIR, SPAN, checked
from trading.api.schemas import answers as told
from trading.filters import AttributionFilter, ChapterFilter, HistoryFilter
from trading.queries.attribution import WAYS, attribute, strategy_results
from trading.queries.execution import list_execution
from trading.queries.latency import list_acknowledged

FILTERS = (ACCOUNT, BOT, PAIR, *SPAN)
COUNTED = (*FILTERS, CHAPTER)
BY = OpenApiParameter("by", {"type": "string", "enum": list(WAYS)}, description="strategy")


class StrategyPerformance(ApiView):
    """What each strategy brought."""

    needs: ClassVar = {"GET": "view"}

    @told("Read what the trades of each strategy made", answers.StrategyPerformance,
          parameters=COUNTED, problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        form = checked(ChapterFilter(request.query_params))
        found = strategy_results(form.wanted, chapter=form.cleaned_data["chapter"])
        return Response(answers.StrategyPerformance({"items": found}).data)


class Attribution(ApiView):
    """Results split one way."""

    needs: ClassVar = {"GET": "view"}

    @told("Read where closed trades made and lost money", answers.Attribution,
          parameters=(*COUNTED, BY), problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        form = checked(AttributionFilter(request.query_params))
        found = attribute(form.wanted, by=form.way, chapter=form.cleaned_data["chapter"])
        return Response(answers.Attribution({"by": form.way, "items": found}).data)


class Execution(ApiView):
    """Slippage, time to fill, fill ratio, fees, and how long venues took to answer."""

    needs: ClassVar = {"GET": "view"}

    @told("Read how orders were executed", answers.Execution, parameters=FILTERS,
          problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        form = checked(HistoryFilter(request.query_params))
        found = {
            "items": list_execution(form.wanted),
            "acknowledged": list_acknowledged(form.wanted),
        }
        return Response(answers.Execution(found).data)
