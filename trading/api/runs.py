"""Runs of research: ask, watch, read, cancel, archive."""

from functools import partial
from typing import ClassVar

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.idempotency import idempotent
from tenants.api.problems import Conflict
from tenants.api.views import ApiView, actor_of, problems_beside, tenant_id_of
from tenants.standing import Effect
from trading import tasks
from trading.api import answers
from trading.api.paging import PAGE, cursor_of, limit_of
from trading.api.requests import BacktestBody, LookaheadBody, SearchBody, WalkBody
from trading.api.result_schema import RESULT
from trading.api.schemas import answers as told
from trading.models import BacktestRun
from trading.operations import backtests as operations
from trading.queries import backtests as queries
from trading.queries.report_file import render_file

ARCHIVED = OpenApiParameter(
    "archived", {"type": "string", "enum": ["true", "false"]}, description="default false"
)


def find(number: int) -> BacktestRun:
    """A run of the workspace.

    Raises:
        NotFound: there is none.
    """
    try:
        return queries.get_run(number=number)
    except queries.NoSuchRun as error:
        raise NotFound(str(error)) from None


class Runs(ApiView):
    """The workspace's runs."""

    needs: ClassVar = {"GET": "view"}

    @told(
        "List runs, newest first",
        answers.Runs,
        name="list_runs",
        parameters=(*PAGE, ARCHIVED),
        problems=(400,),
    )
    def get(self, request: Request) -> Response:
        limit, before = limit_of(request), cursor_of(request)
        archived = request.query_params.get("archived", "false")
        if archived not in ("true", "false"):
            raise ValidationError({"archived": f"true or false, was {archived!r}."})
        found = queries.list_runs(archived=archived == "true", most=limit + 1, before=before)
        items = [answers.Run(one.run).data for one in found[:limit]]
        more = str(items[-1]["run"]) if len(found) > limit else None
        return Response({"items": items, "next": more})


class _Start(ApiView):
    """Asks for a run; a worker carries it out."""

    needs: ClassVar = {"POST": "trade"}
    body: ClassVar[type[BacktestBody]]

    def start(self, request: Request) -> Response:
        """Store the request and call a worker once it is committed."""
        asked = self.body(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            run = operations.request_run(
                tenant_id=tenant_id_of(request),
                request=asked.request,
                actor=actor_of(request),
                now=timezone.now(),
            )
        except operations.TooManyRuns as error:
            raise Conflict(str(error)) from None
        call = partial(tasks.send_run, tenant_id=str(run.tenant_id), run_id=str(run.id))
        transaction.on_commit(call, robust=True)  # without a broker the beat calls later
        where = f"/api/v1/backtest/runs/{run.number}"
        return Response(answers.Run(run).data, status=202, headers={"Location": where})


class Backtest(_Start):
    """Start a backtest."""

    body = BacktestBody

    @told("Start a backtest", answers.Run, code=202, request=BacktestBody, changes=True,
          gives=("Location",), problems=(409,))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.start(request)


class Optimize(_Start):
    """Start a sweep."""

    body = SearchBody

    @told("Start a sweep: the best of many parameter sets", answers.Run, code=202,
          gives=("Location",), request=SearchBody, changes=True, problems=(409,))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.start(request)


class WalkForward(_Start):
    """Start a walk-forward."""

    body = WalkBody

    @told("Start a walk-forward: choose on the past, test on what follows", answers.Run, code=202,
          gives=("Location",), request=WalkBody, changes=True, problems=(409,))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.start(request)


class Lookahead(_Start):
    """Start a look-ahead analysis."""

    body = LookaheadBody

    @told("Start a look-ahead analysis: does the future change a decision?", answers.Run, code=202,
          gives=("Location",), request=LookaheadBody, changes=True, problems=(409,))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.start(request)


class Run(ApiView):
    """One run."""

    needs: ClassVar = {"GET": "view"}

    @told("Read a run: what was asked, how far it is", answers.Run, problems=(404,))
    def get(self, request: Request, number: int) -> Response:
        return Response(answers.Run(find(number)).data)


class Result(ApiView):
    """The whole result of a run."""

    needs: ClassVar = {"GET": "view"}

    @told("Read the whole result, trades included", RESULT, gives=("X-Result-SHA256",),
          problems=(404, 409))  # fmt: skip
    def get(self, request: Request, number: int) -> Response:
        run = find(number)
        facts = queries.get_result(run)
        if facts is None:
            raise Conflict(f"run {number} has no result: it is {run.status.lower()}")
        return Response(facts, headers={"X-Result-SHA256": run.result_hash})


class Trials(ApiView):
    """What a run tried."""

    needs: ClassVar = {"GET": "view"}

    @told("List the parameter sets a run tried", answers.Trials, parameters=PAGE,
          problems=(400, 404))  # fmt: skip
    def get(self, request: Request, number: int) -> Response:
        limit, after = limit_of(request), cursor_of(request) or 0
        rows = queries.list_trials(run=find(number), most=limit + 1, skip=after)
        more = str(after + limit) if len(rows) > limit else None
        return Response({"items": answers.Trial(rows[:limit], many=True).data, "next": more})


class Report(ApiView):
    """The report of a run as one HTML file."""

    needs: ClassVar = {"GET": "view"}
    renderer_classes = (JSONRenderer, problems_beside("text/html"))

    @told("Read the report as one HTML file", OpenApiTypes.STR, name="backtest_runs_report",
          problems=(404, 409), media="text/html")  # fmt: skip
    def get(self, request: Request, number: int) -> HttpResponse:
        run = find(number)
        report = queries.get_report(run)
        if report is None:
            raise Conflict(f"run {number} has no report: it is {run.status.lower()}")
        answer = HttpResponse(render_file(*report))
        answer["Content-Disposition"] = f'attachment; filename="run-{number}.html"'
        return answer


class Cancel(ApiView):
    """End a run."""

    needs: ClassVar = {"POST": "trade"}
    effects: ClassVar = {"POST": Effect.HARMLESS}

    @told("Cancel a run; what it tried stays and counts", answers.Run, changes=True,
          problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request, number: int) -> Response:
        try:
            operations.cancel_run(number=number, actor=actor_of(request), now=timezone.now())
        except operations.RunNotFound as error:
            raise NotFound(str(error)) from None
        except operations.RunHasEnded as error:
            raise Conflict(str(error)) from None
        return Response(answers.Run(find(number)).data)


class Archive(ApiView):
    """Take a run out of the list."""

    needs: ClassVar = {"POST": "trade"}

    @told("Archive an ended run; it still counts as a try", answers.Run, changes=True,
          problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request, number: int) -> Response:
        try:
            operations.archive_run(number=number, actor=actor_of(request), now=timezone.now())
        except operations.RunNotFound as error:
            raise NotFound(str(error)) from None
        except operations.RunIsOpen as error:
            raise Conflict(str(error)) from None
        return Response(answers.Run(find(number)).data)
