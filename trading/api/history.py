"""Orders, fills, positions and trades, page by page, newest first."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView
from trading.api import history_answers as answers
from trading.api.filtering import ACCOUNT, BOT, PAIR, SPAN, checked
from trading.api.paging import PAGE, limit_of, place_of
from trading.api.schemas import answers as told
from trading.filters import HistoryFilter, write_place
from trading.queries.history import TABLES
from trading.queries.places import Key

FILTERS = (*PAGE, ACCOUNT, BOT, PAIR, *SPAN)
STATE = OpenApiParameter(
    "state", {"type": "string", "enum": ["open", "closed"]}, description="without: both"
)


class _List(ApiView):
    """One table of the ledger."""

    needs: ClassVar = {"GET": "view"}
    table: ClassVar[str]
    row: ClassVar[Any]
    key: ClassVar[type[Key]]

    def page(self, request: Request) -> Response:
        """The rows that are wanted, and where to go on."""
        limit, before = limit_of(request), place_of(request, of=self.key)
        form = checked(HistoryFilter(request.query_params))
        found = TABLES[self.table].list_rows(form.wanted, before=before, most=limit + 1)
        shown = found[:limit]
        rows = [
            {**one.told, "key": one.place.key, "account_id": one.account_id, "bot_id": one.bot_id}
            for one in shown
        ]
        more = write_place(shown[-1].place) if len(found) > limit else None
        return Response({"items": self.row(rows, many=True).data, "next": more})


class Orders(_List):
    """What was meant and sent."""

    table, row, key = "orders", answers.Order, UUID

    @told("List orders", answers.Orders, name="list_orders", parameters=FILTERS, problems=(400,))
    def get(self, request: Request) -> Response:
        return self.page(request)


class Fills(_List):
    """What was done at the venue."""

    table, row, key = "fills", answers.Fill, int

    @told("List fills", answers.Fills, name="list_fills", parameters=FILTERS, problems=(400,))
    def get(self, request: Request) -> Response:
        return self.page(request)


class Positions(_List):
    """What is and was held."""

    table, row, key = "positions", answers.Position, UUID

    @told("List positions, open and closed", answers.Positions, name="list_positions",
          parameters=(*FILTERS, STATE), problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        return self.page(request)


class Trades(_List):
    """Round trips."""

    table, row, key = "trades", answers.Trade, UUID

    @told("List trades: positions that ended flat", answers.Trades, name="list_trades",
          parameters=FILTERS, problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        return self.page(request)
