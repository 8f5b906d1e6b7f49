"""What was done: the audit log, profit and loss, and every table of the ledger as a file."""

from typing import ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView, problems_beside
from trading.api import ledger_answers as answers
from trading.api.filtering import ACCOUNT, BOT, CHAPTER, PAIR, SPAN, checked
from trading.api.paging import PAGE, cursor_of, limit_of
from trading.api.schemas import answers as told
from trading.downloads import csv_response
from trading.filters import AuditFilter, ChapterFilter, HistoryFilter
from trading.queries import audit, history
from trading.queries.pnl import profit_and_loss

CSV = (JSONRenderer, problems_beside("text/csv"))
WHAT = OpenApiParameter(
    "what", {"type": "string", "enum": list(history.TABLES)}, OpenApiParameter.PATH
)


class Audit(ApiView):
    """Who did what; for owners."""

    needs: ClassVar = {"GET": "manage"}

    @told(
        "Read the audit log, newest first", answers.Acts, name="list_acts", problems=(400,),
        parameters=(*PAGE, *SPAN,
                    OpenApiParameter("actor", str, description="e-mail address, or system"),
                    OpenApiParameter("action", str, description="an action, or how it begins")),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        limit, before = limit_of(request), cursor_of(request)
        form = checked(AuditFilter(request.query_params))
        found = audit.list_acts(form.acts, before=before, most=limit + 1)
        items = [answers.Act(one).data for one in found[:limit]]
        more = str(items[-1]["sequence"]) if len(found) > limit else None
        checks = [answers.ChainCheck(one).data for one in audit.newest_checks()]
        return Response({"items": items, "next": more, "chains": checks})


class Earned(ApiView):
    """Profit and loss."""

    needs: ClassVar = {"GET": "view"}

    @told("Read profit and loss by account, bot and pair", answers.ProfitAndLoss,
          parameters=(ACCOUNT, CHAPTER), problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        form = checked(ChapterFilter(request.query_params))
        found = profit_and_loss(
            account_id=form.wanted.account_id, chapter=form.cleaned_data["chapter"]
        )
        return Response(answers.ProfitAndLoss({"accounts": found}).data)


class LedgerFile(ApiView):
    """A table of the ledger as CSV."""

    needs: ClassVar = {"GET": "view"}
    renderer_classes = CSV

    @told("Download orders, fills, positions, trades or postings", OpenApiTypes.STR, name="ledger_file",
          media="text/csv", parameters=(WHAT, ACCOUNT, BOT, PAIR, *SPAN), problems=(400, 404))  # fmt: skip
    def get(self, request: Request, what: str) -> HttpResponseBase:
        try:
            table = history.get_table(what)
        except history.NoSuchTable as error:
            raise NotFound(str(error)) from None
        return _file(request, table)


class TradesFile(ApiView):
    """The trades as CSV, where programs have always looked for them."""

    needs: ClassVar = {"GET": "view"}
    renderer_classes = CSV

    @told("Download the trades", OpenApiTypes.STR, name="trades_file", media="text/csv", problems=(400,),
          parameters=(ACCOUNT, BOT, PAIR, *SPAN))  # fmt: skip
    def get(self, request: Request) -> HttpResponseBase:
        return _file(request, history.get_table("trades"))


def _file(request: Request, table: history.Table) -> HttpResponseBase:
    form = checked(HistoryFilter(request.query_params))
    return csv_response(
        request._request, name=table.name, header=table.columns, rows=table.rows(form.wanted)
    )
