"""What was done: the audit log, profit and loss, and every table of the ledger as a file."""

from typing import ClassVar, TypeVar

from django.forms import Form
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView
from trading.api import ledger_answers as answers
from trading.api.paging import PAGE, cursor_of, limit_of
from trading.api.schemas import answers as told
from trading.downloads import csv_response
from trading.filters import AuditFilter, HistoryFilter
from trading.queries import audit, history
from trading.queries.pnl import profit_and_loss

ACCOUNT = OpenApiParameter("account", OpenApiTypes.UUID, description="of one account alone")
SPAN = (
    OpenApiParameter("since", str, description="from this moment (UTC, ISO-8601)"),
    OpenApiParameter("until", str, description="until before this moment"),
)
WHAT = OpenApiParameter(
    "what", {"type": "string", "enum": list(history.TABLES)}, OpenApiParameter.PATH
)

Filter = TypeVar("Filter", bound=Form)


def _checked(form: Filter) -> Filter:
    if not form.is_valid():
        told = {name: [str(one) for one in words] for name, words in form.errors.items()}
        raise ValidationError(told)
    return form


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
        form = _checked(AuditFilter(request.query_params))
        found = audit.list_acts(form.acts, before=before, most=limit + 1)
        items = [answers.Act(one).data for one in found[:limit]]
        more = str(items[-1]["sequence"]) if len(found) > limit else None
        checks = [answers.ChainCheck(one).data for one in audit.newest_checks()]
        return Response({"items": items, "next": more, "chains": checks})


class Earned(ApiView):
    """Profit and loss."""

    needs: ClassVar = {"GET": "view"}

    @told("Read profit and loss by account, bot and pair", answers.ProfitAndLoss,
          parameters=(ACCOUNT,), problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        form = _checked(HistoryFilter(request.query_params))
        found = profit_and_loss(account_id=form.wanted.account_id)
        return Response(answers.ProfitAndLoss({"accounts": found}).data)


class LedgerFile(ApiView):
    """A table of the ledger as CSV."""

    needs: ClassVar = {"GET": "view"}

    @told("Download orders, fills, positions, trades or postings", OpenApiTypes.STR,
          media="text/csv", parameters=(WHAT, ACCOUNT, *SPAN), problems=(400, 404))  # fmt: skip
    def get(self, request: Request, what: str) -> HttpResponseBase:
        try:
            table = history.get_table(what)
        except history.NoSuchTable as error:
            raise NotFound(str(error)) from None
        form = _checked(HistoryFilter(request.query_params))
        return csv_response(
            request._request, name=table.name, header=table.columns, rows=table.rows(form.wanted)
        )
