"""Builds one engine from its plan: feed, venue, ledger, lease, live view."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial

import structlog
from django.conf import settings
from django.db import connections
from psycopg.pq import Conninfo

from trading.engine.clock import SystemClock
from trading.engine.handler import Pace, Ports
from trading.engine.live import Identity, LiveView
from trading.engine.quotes import Quotes
from trading.engine.runner import Outcome, Runner
from trading.engine.watch import Rhythm
from trading.ledger.inbox import CommandInbox
from trading.ledger.lease import LeaseTimes, PostgresLease
from trading.ledger.writer import DjangoLedger
from trading.stream.publisher import RedisPublisher
from trading.wiring.feeds import road_of
from trading.wiring.plans import Plan
from trading.wiring.streets import Street, build_street
from trading.wiring.tapes import build_tape

log = structlog.get_logger(__name__)

MOST_LAG_SECONDS, MOST_COMMIT_SECONDS = 1.0, 2.0


class EngineProcess:
    """One engine of this process with everything it must close at the end."""

    def __init__(
        self,
        *,
        plan: Plan,
        speed: str | None,
        street: Street | None = None,
        pace: Pace | None = None,
        rhythm: Rhythm | None = None,
        around: Callable[[Ports], Ports] = lambda ports: ports,
    ) -> None:
        from trading.tape.taps import tap  # compiled: only an engine process pays for it

        clock = SystemClock()
        engine_id = str(plan.engine.id)
        self._street = street or build_street(plan, speed=speed, clock=clock)
        self._lease = _lease(plan, clock, self._street.quotes)
        self._ledger = _ledger(plan, self._lease)
        self._publisher = RedisPublisher(url=settings.REDIS_URL, tenant_id=plan.tenant_id)
        ports = Ports(
            venue=self._street.venue,
            feed=self._street.feed,
            ledger=self._ledger,
            inbox=CommandInbox(ledger=self._ledger, engine_id=engine_id),
            lease=self._lease,
            live=LiveView(
                sink=self._publisher,
                identity=_identity(plan),
                clock=clock,
                market_data=partial(road_of, self._street.feed),
                quotes=self._street.quotes,
            ),
            clock=clock,
        )
        self._tape, core = build_tape(plan, epoch=lambda: self._lease.epoch, clock=clock)
        ports = tap(around(ports), tape=self._tape, core=core)
        rhythm = rhythm or Rhythm(most_lag=MOST_LAG_SECONDS, most_commit=MOST_COMMIT_SECONDS)
        self.runner = Runner(core=core, ports=ports, pace=pace, rhythm=rhythm)

    async def run(self) -> Outcome:
        """Run until the feed ends, leadership is lost, or ``stop``; then close everything."""
        await self._publisher.start()
        watch = asyncio.ensure_future(self._street.watch(self._ledger.call))
        try:
            return await self.runner.run()
        finally:
            watch.cancel()
            (ended,) = await asyncio.gather(watch, return_exceptions=True)
            if isinstance(ended, Exception):
                log.error("key_watch_failed", why=repr(ended))
            self._tape.flush()
            self._tape.close()
            await self._publisher.close()
            await self._ledger.close()
            await self._street.close()


def environment_core_hash() -> str:
    """Hash of the core's sources this process runs."""
    from trading.core.jit import CORE_HASH

    return CORE_HASH


def _identity(plan: Plan) -> Identity:
    return Identity(
        engine_id=str(plan.engine.id),
        mode=plan.account.mode,
        venue=plan.account.venue,
        currency=plan.account.quote_currency,
    )


def _ledger(plan: Plan, lease: PostgresLease) -> DjangoLedger:
    from trading.core import pipeline
    from trading.engine.state import layout_hash

    return DjangoLedger(
        tenant_id=plan.tenant_id,
        engine_id=str(plan.engine.id),
        account_id=str(plan.account.id),
        specs=plan.specs,
        epoch=lambda: lease.epoch,
        decision_dtype=pipeline.DECISION,
        core_hash=environment_core_hash(),
        layout_hash=layout_hash(),
        longest_pause_seconds=settings.LEASE_SECONDS[0],
    )


def _lease(plan: Plan, clock: SystemClock, quotes: Quotes | None) -> PostgresLease:
    parameters = connections["default"].get_connection_params()
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    return PostgresLease(
        connect={name: value for name, value in parameters.items() if name in known and value},
        tenant_id=plan.tenant_id,
        engine_id=str(plan.engine.id),
        host=socket.gethostname(),
        core_hash=environment_core_hash(),
        times=LeaseTimes(*settings.LEASE_SECONDS),
        clock=clock,
        price_age=(quotes or Quotes(clock.monotonic)).age_of_newest,
    )
