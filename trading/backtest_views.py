"""Pages of research: the list of runs, a form to launch one, one run, several side by side."""

from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants.auth import permission_required
from tenants.standing import Effect
from trading import tasks
from trading.filters import RunOf
from trading.forms import BacktestForm
from trading.models import BacktestRun, BotRevision
from trading.operations import backtests as operations
from trading.queries import backtests as queries
from trading.queries import report_page
from trading.queries.bots import get_revision
from trading.queries.report_file import render_file
from trading.templatetags.figures import money
from trading.templatetags.pieces import Column

BAR_TIMES = ("from", "to")  # of what compared runs were asked


@require_GET
@never_cache
@permission_required("view")
def runs(request: HttpRequest) -> HttpResponse:
    """The workspace's runs, newest first."""
    kind, status = (request.GET.get(name, "") for name in ("kind", "status"))
    archived = request.GET.get("archived") == "1"
    context = {
        "runs": queries.list_runs(kind=kind, status=status, archived=archived),
        "tries": queries.count_tries(),
        "kinds": BacktestRun.Kind.choices,
        "statuses": BacktestRun.Status.choices,
        "kind": kind,
        "status": status,
        "archived": archived,
        "is_filtered": bool(kind or status or archived),
    }
    return render(request, "trading/backtests/list.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@permission_required("trade")
def new_run(request: HttpRequest) -> HttpResponse:
    """Launch a backtest, a sweep or a walk-forward."""
    revision, series = _revision(request), queries.list_series()
    initial = queries.launch_of(revision, series) if revision else queries.usual_launch(series)
    form = BacktestForm(request.POST or None, series=series, revision=revision, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            run = operations.request_run(
                tenant_id=request.tenant.id,  # type: ignore[attr-defined]
                request=form.request,
                actor=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
            )
        except operations.TooManyRuns as error:
            form.add_error(None, str(error))
        else:
            call = partial(tasks.send_run, tenant_id=str(run.tenant_id), run_id=str(run.id))
            transaction.on_commit(call, robust=True)  # without a broker the beat calls later
            return redirect("run", number=run.number)
    return render(request, "trading/backtests/new.html", {"form": form})


def _revision(request: HttpRequest) -> BotRevision | None:
    """The one the address names, if it names one."""
    asked = RunOf(request.GET)
    if not asked.is_valid():
        raise Http404
    bot_id, number = asked.cleaned_data["bot"], asked.cleaned_data["revision"]
    if bot_id is None or number is None:
        return None
    try:
        return get_revision(bot_id=bot_id, number=number)
    except BotRevision.DoesNotExist:
        raise Http404 from None


@require_GET
@never_cache
@permission_required("view")
def run(request: HttpRequest, number: int) -> HttpResponse:
    """One run: how far it is, or what came out."""
    shown = _get(number)
    facts, report = queries.get_result(shown), queries.get_report(shown)
    context: dict[str, Any] = {"run": shown, "facts": facts, "asked": queries.asked_words(shown)}
    if report:
        context["report"] = report_page.page(*report)
        context["luck"] = queries.luck_words(shown, report[0])
    elif facts:
        context["headline"] = queries.headline_rows(shown)
    elif shown.has_ended:
        context["trials"] = queries.list_trials(run=shown, most=100)
    return render(request, "trading/backtests/run.html", context)


@require_GET
@never_cache
@permission_required("view")
def progress(request: HttpRequest, number: int) -> HttpResponse:
    """How far a run is; asked every second, until its end reloads the page."""
    try:
        shown = queries.get_progress(number=number)
    except queries.NoSuchRun:
        raise Http404 from None
    answer = render(request, "trading/backtests/_progress.html", {"run": shown})
    if shown.has_ended:
        answer["HX-Refresh"] = "true"
    return answer


@require_GET
@never_cache
@permission_required("view")
def download(request: HttpRequest, number: int) -> HttpResponse:
    """The whole result as JSON."""
    facts = queries.get_result(_get(number))
    if facts is None:
        raise Http404
    answer = JsonResponse(facts, json_dumps_params={"indent": 2})
    answer["Content-Disposition"] = f'attachment; filename="run-{number}.json"'
    return answer


@require_GET
@never_cache
@permission_required("view")
def report(request: HttpRequest, number: int) -> HttpResponse:
    """The report as one file that opens from disk."""
    found = queries.get_report(_get(number))
    if found is None:
        raise Http404
    answer = HttpResponse(render_file(*found))
    answer["Content-Disposition"] = f'attachment; filename="run-{number}.html"'
    return answer


@require_POST
@permission_required("trade", Effect.HARMLESS)
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    """End a run; what it tried stays."""
    try:
        operations.cancel_run(
            number=number,
            actor=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
    except operations.RunNotFound:
        raise Http404 from None
    except operations.RunHasEnded as error:
        messages.info(request, str(error))
    return redirect("run", number=number)


@require_POST
@permission_required("trade")
def archive(request: HttpRequest, number: int) -> HttpResponse:
    """Take a run out of the list."""
    try:
        operations.archive_run(
            number=number,
            actor=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
    except operations.RunNotFound:
        raise Http404 from None
    except operations.RunIsOpen as error:
        messages.error(request, str(error))
        return redirect("run", number=number)
    messages.success(request, f"Run {number} is archived; it still counts as a try.")
    return redirect("runs")


@require_GET
@never_cache
@permission_required("view")
def compare(request: HttpRequest) -> HttpResponse:
    """Chosen runs side by side."""
    chosen = [int(text) for text in request.GET.getlist("run") if text.isdecimal()]
    try:
        compared = queries.compare_runs(numbers=chosen)
    except queries.NoSuchRun:
        raise Http404 from None
    except queries.CannotCompare as error:
        messages.error(request, f"{str(error)[0].upper()}{str(error)[1:]}.")
        return redirect("runs")
    columns = [Column("What", is_heard=True), *(_column(run) for run in compared.runs)]
    asked = [(name, [_words(name, one) for one in values]) for name, values in compared.asked]
    context = {"compared": compared, "columns": columns, "asked": asked}
    return render(request, "trading/backtests/compare.html", context)


def _words(name: str, value: Any) -> str:
    """What was asked, as people read it: bars' times to the minute, cash with its thousands."""
    if value is None:
        return "–"
    if name in BAR_TIMES:
        return str(value)[:16].replace("T", " ")
    return money(Decimal(value)) if name == "cash" else str(value)


def _column(run: BacktestRun) -> Column:
    """Its head leads to the run."""
    link = format_html('<a href="{}">Run {}</a>', reverse("run", args=[run.number]), run.number)
    return Column(link, is_number=True)


def _get(number: int) -> BacktestRun:
    try:
        return queries.get_run(number=number)
    except queries.NoSuchRun:
        raise Http404 from None
