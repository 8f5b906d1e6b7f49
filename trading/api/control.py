"""Start and stop: wishes a fleet sees to. Pause, resume, close all …: rows in the engine's inbox."""

import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.authentication import require_second_factor
from tenants.api.idempotency import HEADER, idempotent
from tenants.api.problems import Conflict
from tenants.api.throttling import caller_of
from tenants.api.views import ApiView, Strict, actor_of
from tenants.standing import Effect
from trading import operations
from trading.api import answers
from trading.api.schemas import answers as told
from trading.models import EngineCommand
from trading.queries import dashboard as queries


class ControlBody(Strict):
    """Which engine, and why."""

    engine = serializers.UUIDField(
        required=False, help_text="needed where the workspace has several engines"
    )
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class _Control(ApiView):
    """Puts a command into an engine's inbox."""

    needs: ClassVar = {"POST": "trade"}
    effects: ClassVar = {"POST": Effect.HARMLESS}
    steps_up_for_money: ClassVar[bool] = False  # where real orders are sent

    def send(self, request: Request, act: Callable[..., EngineCommand]) -> Response:
        """Store the command; the same ``Idempotency-Key`` is the same command."""
        body = ControlBody(data=request.data)
        body.is_valid(raise_exception=True)
        key = request.headers.get(HEADER) or uuid.uuid4().hex
        engine_id = _chosen(body.validated_data.get("engine"))
        if self.steps_up_for_money and queries.trades_real_money(engine_id=engine_id):
            require_second_factor(request)
        try:
            command = act(
                engine_id=engine_id,
                actor=actor_of(request),
                reason=body.validated_data["reason"] or f"by API, {actor_of(request)}",
                idempotency_key=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{caller_of(request)}|{key}")),
                now=timezone.now(),
            )
        except operations.EngineNotFound as error:
            raise NotFound(str(error)) from None
        where = f"/api/v1/commands/{command.id}"
        return Response(answers.Command(command).data, status=202, headers={"Location": where})


def _chosen(wanted: uuid.UUID | None) -> uuid.UUID:
    if wanted is not None:
        return wanted
    engines = queries.list_engines()
    if len(engines) != 1:
        raise Conflict(f"engine: say which; this workspace has {len(engines)}")
    found: uuid.UUID = engines[0].id
    return found


class WishBody(Strict):
    """Which engine."""

    engine = serializers.UUIDField(
        required=False, help_text="needed where the workspace has several engines"
    )


class _Wish(ApiView):
    """Says whether an engine is to run; a fleet sees to it."""

    needs: ClassVar = {"POST": "trade"}
    effects: ClassVar = {"POST": Effect.HARMLESS}

    def wish(self, request: Request, act: Callable[..., None]) -> Response:
        """What the engine's row says now: ``desired`` is the wish, ``observed`` what is."""
        body = WishBody(data=request.data)
        body.is_valid(raise_exception=True)
        engine_id = _chosen(body.validated_data.get("engine"))
        try:
            act(engine_id=engine_id, actor=actor_of(request), now=timezone.now())
        except operations.EngineNotFound as error:
            raise NotFound(str(error)) from None
        except operations.EngineRefused as error:
            raise Conflict(str(error)) from None
        return Response(answers.Wish(queries.get_engine(engine_id=engine_id)).data, status=202)


class Start(_Wish):
    """To run."""

    @told("Ask for an engine to run; read the status to see what became of it", answers.Wish,
          code=202, request=WishBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.wish(request, operations.start_engine)


class Stop(_Wish):
    """To stand still."""

    @told("Ask for an engine to stop; open positions keep their stops", answers.Wish, code=202,
          request=WishBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.wish(request, operations.stop_engine)


class Pause(_Control):
    """No new entries."""

    @told("Pause: no new entries; exits and stops keep running", answers.Command, code=202,
          gives=("Location",), request=ControlBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.send(request, operations.pause_engine)


class Resume(_Control):
    """Entries again."""

    effects: ClassVar = {"POST": Effect.OPEN}

    @told("Resume entries", answers.Command, code=202, request=ControlBody, changes=True,
          gives=("Location",), problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.send(request, operations.resume_engine)


class CloseAll(_Control):
    """Everything closed."""

    @told("Close every position at the next price, and pause entries", answers.Command, code=202,
          gives=("Location",), request=ControlBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.send(request, operations.close_all)


class Kill(_Control):
    """Everything closed, and nothing entered until somebody with the right revives it."""

    needs: ClassVar = {"POST": "manage"}
    steps_up_for_money: ClassVar = True

    @told("Kill: close everything, enter nothing until revived", answers.Command, code=202,
          gives=("Location",), request=ControlBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.send(request, operations.kill_engine)


class Revive(_Control):
    """What a kill set is lifted."""

    needs: ClassVar = {"POST": "manage"}
    effects: ClassVar = {"POST": Effect.OPEN}
    steps_up_for_money: ClassVar = True

    @told("Revive a killed engine", answers.Command, code=202, request=ControlBody, changes=True,
          gives=("Location",), problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        return self.send(request, operations.revive_engine)


class Command(ApiView):
    """What became of a command."""

    needs: ClassVar = {"GET": "view"}

    @told("Read a command: has the engine done it?", answers.Command, problems=(404,))
    def get(self, request: Request, command_id: uuid.UUID) -> Response:
        found: Any = EngineCommand.objects.filter(id=command_id).first()
        if found is None:
            raise NotFound(f"no command {command_id} in this workspace")
        return Response(answers.Command(found).data)
