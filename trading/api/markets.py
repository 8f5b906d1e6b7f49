"""Markets: the last scan of each, what kind of market it is, and the strategies that vote on it."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView
from trading.api import market_answers as answers
from trading.api.schemas import answers as told
from trading.queries.scanner import list_scanned
from trading.queries.strategies import list_strategies


class Scanner(ApiView):
    """The last scan by pair."""

    needs: ClassVar = {"GET": "view"}

    @told("Read the last scan of every market, with the first gate that said no", answers.Scanner)
    def get(self, request: Request) -> Response:
        return Response(answers.Scanner({"items": list_scanned()}).data)


class Regime(ApiView):
    """Trend or range, calm or wild."""

    needs: ClassVar = {"GET": "view"}

    @told("Read the regime of every market", answers.Regimes)
    def get(self, request: Request) -> Response:
        return Response(answers.Regimes({"items": list_scanned()}).data)


class Strategies(ApiView):
    """What can vote."""

    needs: ClassVar = {"GET": "view"}

    @told("List strategies with parameters, and the bots that listen to them", answers.Strategies)
    def get(self, request: Request) -> Response:
        return Response(answers.Strategies({"items": list_strategies()}).data)
