"""Pages of what was done: orders to postings, profit and loss, and the audit log; each as a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tenants.auth import permission_required
from trading.downloads import csv_response
from trading.filters import AuditFilter, ChapterFilter, HistoryFilter
from trading.queries import audit as audit_queries
from trading.queries import history as queries
from trading.queries.execution import list_execution
from trading.queries.latency import list_acknowledged
from trading.queries.pnl import profit_and_loss
from trading.queries.spreadsheet import shown
from trading.templatetags.figures import MINUS, tone
from trading.templatetags.pieces import Column

ROWS_SHOWN = 50
EARNED = frozenset({"net_pnl", "realized_pnl"})
RESULTS = EARNED | {"fee", "fees"}
NUMBERS = RESULTS | {
    "quantity", "limit_price", "stop_price", "filled_quantity", "price", "entry_price",
    "exit_price", "last_exit_price", "amount", "score",
    "dust_quantity",
}  # fmt: skip
# What a phone shows of each table at first.
MAIN = {
    "orders": {"planned_at", "pair", "side", "state"},
    "fills": {"filled_at", "pair", "side", "price"},
    "positions": {"closed_at", "pair", "realized_pnl"},
    "trades": {"closed_at", "pair", "net_pnl"},
    "postings": {"booked_at", "book", "amount"},
}
# What no screen shows at first: names for machines, and what other columns tell already.
WHY, DUST = set(queries.WHY), {"dust_quantity", "dust_cost"}
SPARE = {
    "orders": {"bot", "client_order_id", "venue_order_id", "venue_status"} | WHY,
    "fills": {"bot", "client_order_id", "venue_order_id", "venue_trade_id"} | WHY,
    "positions": {"bot"} | DUST | WHY,
    "trades": {"bot", "currency", "note"} | DUST | WHY,
    "postings": {"venue_trade_id"},
}
LEAST_SHOWN = Decimal("0.01")  # of a result; the file has every digit


@require_GET
@never_cache
@permission_required("view")
def history(request: HttpRequest, what: str = "trades") -> HttpResponse:
    """One table of the ledger, newest first, beside what was earned."""
    table, form = _table(what), ChapterFilter(request.GET)
    context: dict[str, Any] = {
        "table": table,
        "tables": queries.TABLES.values(),
        "accounts": queries.list_accounts(),
        "form": form,
        "query": _query(request),
    }
    if form.is_valid():
        page = form.cleaned_data["page"] or 1
        first = (page - 1) * ROWS_SHOWN
        rows = table.page(form.wanted, first=first, count=ROWS_SHOWN + 1)
        context |= {
            "columns": _columns(table),
            "rows": [_cells(table, row) for row in rows[:ROWS_SHOWN]],
            "earned": profit_and_loss(
                account_id=form.wanted.account_id, chapter=form.cleaned_data["chapter"]
            ),
            "chapters": form.chapters,
            "newer": page - 1,
            "older": page + 1 if len(rows) > ROWS_SHOWN else 0,
        }
    status = 200 if form.is_valid() else 400
    return render(request, "trading/history.html", context, status=status)


@require_GET
@never_cache
@permission_required("view")
def execution(request: HttpRequest) -> HttpResponse:
    """How orders were executed: venues' answers, slippage, time to the fill, fees."""
    form = HistoryFilter(request.GET)
    context: dict[str, Any] = {
        "form": form,
        "accounts": queries.list_accounts(),
        "query": _query(request),
    }
    if form.is_valid():
        context |= {
            "executed": list_execution(form.wanted),
            "acknowledged": list_acknowledged(form.wanted),
        }
    status = 200 if form.is_valid() else 400
    return render(request, "trading/execution.html", context, status=status)


@require_GET
@permission_required("view")
def history_file(request: HttpRequest, what: str) -> HttpResponseBase:
    """The whole table as CSV."""
    table, form = _table(what), HistoryFilter(request.GET)
    if not form.is_valid():
        return HttpResponse(form.errors.as_text(), status=400, content_type="text/plain")
    return csv_response(
        request, name=table.name, header=table.columns, rows=table.rows(form.wanted)
    )


@require_GET
@never_cache
@permission_required("manage")
def audit(request: HttpRequest) -> HttpResponse:
    """Who did what, and how far the chains were verified."""
    form = AuditFilter(request.GET)
    context: dict[str, Any] = {
        "form": form,
        "checks": audit_queries.newest_checks(),
        "query": _query(request),
    }
    if form.is_valid():
        found = audit_queries.list_acts(
            form.acts, before=form.cleaned_data["before"], most=ROWS_SHOWN + 1
        )
        context |= {
            "entries": found[:ROWS_SHOWN],
            "older": found[ROWS_SHOWN - 1].sequence if len(found) > ROWS_SHOWN else 0,
            "is_filtered": form.acts.is_filtered,
        }
    return render(request, "trading/audit.html", context, status=200 if form.is_valid() else 400)


@require_GET
@permission_required("manage")
def audit_file(request: HttpRequest) -> HttpResponseBase:
    """The audit log as CSV."""
    form = AuditFilter(request.GET)
    if not form.is_valid():
        return HttpResponse(form.errors.as_text(), status=400, content_type="text/plain")
    rows = audit_queries.act_rows(form.acts)
    return csv_response(request, name="audit", header=audit_queries.COLUMNS, rows=rows)


def _columns(table: queries.Table) -> list[Column]:
    return [
        Column(
            f"{words} (UTC)" if name.endswith("_at") else words,
            is_number=name in NUMBERS,
            is_minor=name not in MAIN[table.name],
            is_spare=name in SPARE[table.name],
        )
        for words, name in zip(table.headings, table.columns, strict=True)
    ]


def _cells(table: queries.Table, row: Sequence[Any]) -> list[tuple[str, str]]:
    """Each value in words, and the class of its column or its colour."""
    spare, named = SPARE[table.name], zip(table.columns, row, strict=True)
    return [
        (_words(name, one), "spare" if name in spare else _tone(name, one)) for name, one in named
    ]


def _tone(column: str, value: Any) -> str:
    return tone(value) if column in EARNED and isinstance(value, Decimal) else ""


def _words(column: str, value: Any) -> str:
    if column in RESULTS and isinstance(value, Decimal):
        small = 0 < abs(value) < LEAST_SHOWN
        sign = "+" if column in EARNED else ""
        return (f"{value:{sign}.2g}" if small else f"{value:{sign},.2f}").replace("-", MINUS)
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}".replace("-", MINUS)
    if isinstance(value, datetime) and not value.second:
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return shown(value)


def _table(what: str) -> queries.Table:
    try:
        return queries.get_table(what)
    except queries.NoSuchTable as error:
        raise Http404(str(error)) from None


def _query(request: HttpRequest) -> str:
    """The filter as it stands in the address, without the place in the list."""
    kept = [
        (name, value)
        for name, value in request.GET.items()
        if value and name not in ("page", "before")
    ]
    return urlencode(kept)
