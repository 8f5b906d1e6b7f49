"""How things stand: the process, the workspace's engines and their alerts, and what is kept where."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView, tenant_id_of
from trading.api import answers
from trading.api import figure_answers as figures
from trading.api.filtering import ENGINE, SPAN, checked
from trading.api.paging import PAGE, limit_of, place_of
from trading.api.schemas import answers as told
from trading.filters import AlertFilter, write_place
from trading.models import ForeignOrder
from trading.queries.charts import plain
from trading.queries.holds import list_alerts
from trading.queries.places import Place
from trading.queries.pulses import Pulse, list_pulses
from trading.queries.statuses import EngineStatus, list_statuses
from trading.queries.storage import describe_storage

STALE_SECONDS, CRITICAL_SECONDS = 30, 120


class Health(ApiView):
    """The process answers; nothing else is looked at."""

    authentication_classes = ()

    @told("Does the process answer?", answers.Health, open_to_all=True)
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Status(ApiView):
    """The workspace at a glance."""

    needs: ClassVar = {"GET": "view"}

    @told("Read engines, holds, positions and equity", answers.Status)
    def get(self, request: Request) -> Response:
        told = {
            "version": settings.VERSION,
            "tenant": tenant_id_of(request),
            "at": timezone.now(),
            "engines": [_engine(one) for one in list_statuses()],
        }
        return Response(answers.Status(told).data)


class Heartbeat(ApiView):
    """One small answer for watchdogs; 503 when an engine that should run is silent.

    Degraded: one is late, or a hold stands because news of its market are missing.
    """

    needs: ClassVar = {"GET": "view"}

    @told("Are the engines alive? 503 when one that should run is not", answers.Heartbeat, also=503)
    def get(self, request: Request) -> Response:
        now = timezone.now()
        engines = [_pulse(one, now) for one in list_pulses()]
        ages = [one["heartbeat_age_seconds"] for one in engines]
        worst = max((math.inf if age is None else age for age in ages), default=0)
        is_well = worst <= STALE_SECONDS and not any(one["lacks_news"] for one in engines)
        status = "ok" if is_well else "degraded"
        if worst > CRITICAL_SECONDS:
            status = "critical"
        body = answers.Heartbeat({"status": status, "at": now, "engines": engines}).data
        if status != "critical":
            return Response(body)
        return Response(body, status=503, headers={"Retry-After": str(STALE_SECONDS)})


class Alerts(ApiView):
    """Breakers that tripped."""

    needs: ClassVar = {"GET": "view"}

    @told("List alerts", figures.Alerts, name="list_alerts", parameters=(*PAGE, ENGINE, *SPAN),
          problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        limit, before = limit_of(request), place_of(request, of=UUID)
        form = checked(AlertFilter(request.query_params))
        found = list_alerts(form.alerts, before=before, most=limit + 1)
        shown = found[:limit]
        last = Place(shown[-1].raised_at, shown[-1].id) if len(found) > limit else None
        items = figures.Alert(shown, many=True).data
        return Response({"items": items, "next": write_place(last) if last else None})


class Storage(ApiView):
    """The contract of persistence."""

    needs: ClassVar = {"GET": "view"}

    @told(
        "Read what is kept where: the ledger's database, its mirrors, bars and tapes",
        figures.Storage,
    )
    def get(self, request: Request) -> Response:
        return Response(figures.Storage(describe_storage()).data)


def _pulse(pulse: Pulse, now: datetime) -> Mapping[str, Any]:
    return {
        "engine": pulse.engine_id,
        "heartbeat_age_seconds": _age(pulse.heartbeat_at, now),
        "tick_age_seconds": _age(pulse.priced_at, now),
        "saved_age_seconds": _age(pulse.saved_at, now),
        "proof_age_seconds": _age(pulse.proved_at, now),
        "last_bar_at": pulse.last_bar_at,
        "lacks_news": pulse.lacks_news,
    }


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round((now - moment).total_seconds(), 1)


def _engine(status: EngineStatus) -> Mapping[str, Any]:
    engine = status.engine
    return {
        **{name: getattr(engine, name) for name in ("id", "desired", "observed", "detail")},
        "heartbeat_at": engine.heartbeat_at,
        "core_hash": engine.core_hash,
        "account": engine.account.label,
        "exchange": engine.account.venue,
        "mode": engine.account.mode,
        "currency": engine.account.quote_currency,
        "last_bar_at": status.last_bar_at,
        "equity": None if status.equity is None else f"{status.equity:.2f}",
        "holds": [
            {
                "kind": one.hold.kind,
                "reason": one.hold.reason,
                "placed_at": one.hold.placed_at,
                "lifted_by": one.lifted_by,
            }
            for one in status.holds
        ],
        "positions": [_position(one) for one in status.positions],
        "foreign_orders": [_foreign(one) for one in status.foreign_orders],
    }


def _foreign(order: ForeignOrder) -> Mapping[str, Any]:
    names = ("venue_order_id", "symbol", "side", "first_seen_at", "last_seen_at")
    told = {name: getattr(order, name) for name in names}
    return {**told, "quantity": plain(order.quantity)}


def _position(position: Any) -> Mapping[str, Any]:
    return {
        "instrument": position.instrument,
        "side": position.side,
        "quantity": plain(position.quantity),
        "entry_price": plain(position.entry_price),
        "stop_price": plain(position.stop_price) if position.stop_price else None,
        "opened_at": position.opened_at,
    }
