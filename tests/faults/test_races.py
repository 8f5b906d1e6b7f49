"""A thousand leaderships raced for: one leads at a time, and nobody writes once another does."""

import asyncio
import random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, connections
from psycopg import AsyncConnection

from tenants.scoping import tenant_scope
from tests.faults.test_journal_commits import order
from trading.engine.batches import LedgerBatch
from trading.engine.clock import SystemClock
from trading.engine.errors import NotLeader
from trading.ledger.lease import LeaseTimes, PostgresLease
from trading.models import Engine
from trading.wiring.engines import EngineProcess
from trading.wiring.plans import Plan, read_plan

pytestmark = pytest.mark.faults
CONTENDERS = 4
STARTS = 250  # in each of which all of them come to lead
TIMES = LeaseTimes(lease_seconds=60.0, heartbeat_seconds=0.01, self_stop_seconds=50.0)
HANG_MS = 20  # what is left of a hanging leader's lease
PATIENCE_SECONDS = 60.0
IN_THE_ORDER_OF_WRITING = "SELECT epoch FROM trading_orderintent ORDER BY xmin::text::bigint, seq"


@dataclass
class Course:
    """What all who race see: who leads, and the number of the next order."""

    start: threading.Barrier = field(default_factory=lambda: threading.Barrier(CONTENDERS))
    epochs: list[int] = field(default_factory=list)
    written: int = 0
    refused: int = 0
    _leader: str = ""
    _seq: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_seq(self) -> int:
        with self._lock:
            self._seq += 1
            return self._seq

    @contextmanager
    def alone(self, name: str, epoch: int) -> Iterator[None]:
        """Nobody else may come to lead while this lasts."""
        with self._lock:
            assert not self._leader, f"{name} leads while {self._leader} does"
            self._leader = name
            self.epochs.append(epoch)
        yield
        with self._lock:
            self._leader = ""

    def count(self, *, was_written: bool) -> None:
        with self._lock:
            self.written += was_written
            self.refused += not was_written


class Contender:
    """One engine's lease and journal, on a thread, a loop and sessions of its own."""

    def __init__(self, course: Course, plan: Plan, number: int) -> None:
        self.course, self.plan, self.name = course, plan, f"contender {number}"
        self.dice = random.Random(number)
        self.ends = (self._gives_back, self._is_ended, self._loses_its_wire, self._hangs)
        self.ledger = EngineProcess(plan=plan, speed="max")._ledger

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException:
            self.course.start.abort()  # the others wait for nobody who has failed
            raise

    async def _run(self) -> None:
        for _ in range(STARTS):
            lease = self._lease()
            self.course.start.wait(PATIENCE_SECONDS)
            await asyncio.wait_for(self._race(lease), PATIENCE_SECONDS)
        await self.ledger.close()

    def _lease(self) -> PostgresLease:
        told = connections.settings["default"]
        session = {"dbname": told["NAME"], "user": told["USER"], "password": told["PASSWORD"],
                   "host": told["HOST"], "port": told["PORT"]}  # fmt: skip
        return PostgresLease(connect={name: value for name, value in session.items() if value},
                             tenant_id=self.plan.tenant_id, engine_id=str(self.plan.engine.id),
                             host=self.name, core_hash="", times=TIMES,
                             clock=SystemClock())  # fmt: skip

    async def _race(self, lease: PostgresLease) -> None:
        await lease.acquire()
        epoch, session = lease.epoch, lease._connection
        assert session is not None
        self.ledger._epoch = lambda: epoch  # it is not told that its time is over
        with self.course.alone(self.name, epoch):
            assert lease.is_held()
            assert await self._writes(), f"{self.name} leads and may not write"
        await self.dice.choice(self.ends)(lease, session)
        self.course.count(was_written=await self._writes())
        await lease.release()
        assert not lease.is_held()

    async def _writes(self) -> bool:
        try:
            await self.ledger.commit(LedgerBatch(intents=[order(self.course.next_seq())]))
        except NotLeader:
            return False
        return True

    async def _gives_back(self, lease: PostgresLease, session: AsyncConnection[Any]) -> None:
        await lease.release()
        await asyncio.sleep(0)

    async def _is_ended(self, lease: PostgresLease, session: AsyncConnection[Any]) -> None:
        """By the server; the next heartbeat tells."""
        pid = session.info.backend_pid

        def terminate() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

        await self.ledger.call(terminate)
        await lease.keep()

    async def _loses_its_wire(self, lease: PostgresLease, session: AsyncConnection[Any]) -> None:
        with socket.socket(fileno=session.pgconn.socket) as wire:
            wire.shutdown(socket.SHUT_RDWR)
            wire.detach()
        await lease.keep()

    async def _hangs(self, lease: PostgresLease, session: AsyncConnection[Any]) -> None:
        """Until the server has ended its session, or another leads."""
        await session.execute(f"SET idle_session_timeout = {HANG_MS}")
        await asyncio.sleep(2 * HANG_MS / 1000)


def test_of_all_that_start_at_once_one_leads_and_the_stale_ones_write_nothing(street) -> None:
    rows = street(10)
    plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    course = Course()
    contenders = [Contender(course, plan, number) for number in range(CONTENDERS)]

    with ThreadPoolExecutor(CONTENDERS) as pool:
        runs = [pool.submit(one.run) for one in contenders]
        failed = [error for run in runs if (error := run.exception())]
    for error in sorted(failed, key=lambda one: isinstance(one, threading.BrokenBarrierError)):
        raise error  # the cause before those who waited for it

    leaderships = STARTS * CONTENDERS
    assert course.epochs == list(range(1, leaderships + 1))
    with tenant_scope(rows.tenant_id):
        assert Engine.objects.get(id=rows.engine_id).epoch == leaderships
        with connection.cursor() as cursor:
            cursor.execute(IN_THE_ORDER_OF_WRITING)
            written = [epoch for (epoch,) in cursor.fetchall()]
    assert written == sorted(written), "two leaders' writes interleave"
    assert len(written) == leaderships + course.written
    assert course.refused > leaderships / 4, "hardly anybody was late: nothing was tried"
