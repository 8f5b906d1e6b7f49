"""What can be asked for: stored bars, profiles, parameters."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView
from trading.api import answers
from trading.api.schemas import answers as told
from trading.core.config.profiles import PROFILES
from trading.core.params import to_mapping
from trading.queries.backtests import list_series
from trading.research.space import list_parameters


class Series(ApiView):
    """Stored bars."""

    needs: ClassVar = {"GET": "view"}

    @told(
        "List the stored bars that can be tested on", answers.Series(many=True), name="list_series"
    )
    def get(self, request: Request) -> Response:
        return Response(answers.Series(list_series(), many=True).data)


class Profiles(ApiView):
    """Named starting points."""

    needs: ClassVar = {"GET": "view"}

    @told("List profiles with all their parameters", answers.Profile(many=True),
          name="list_profiles")  # fmt: skip
    def get(self, request: Request) -> Response:
        told_profiles = [{"name": n, "params": to_mapping(one)} for n, one in PROFILES.items()]
        return Response(answers.Profile(told_profiles, many=True).data)


class Parameters(ApiView):
    """Everything that can be tuned."""

    needs: ClassVar = {"GET": "view"}

    @told("List every parameter with bounds, unit and meaning", answers.Parameter(many=True),
          name="list_parameters")  # fmt: skip
    def get(self, request: Request) -> Response:
        return Response(answers.Parameter(list_parameters(), many=True).data)
