"""Advisory lock + epoch fence: implements ports.Lease on a dedicated connection.

The lock says who may try to lead, the epoch row says who does: taking the lock bumps the epoch, and
every ledger transaction asserts its epoch. ``idle_session_timeout`` ends the session of a leader
that hangs, so that its lock frees itself after ``lease_seconds``. The epoch outlives a crash of the
server; heartbeats need not, and wait for no disk: one that is slow costs nobody the leadership.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection, sql

from trading.engine.errors import NotLeader
from trading.engine.guards import BREAKER
from trading.engine.lost import LOST_COMMITS
from trading.engine.ports import Clock
from trading.ledger.cutting import cut

EPOCHS_OF_A_TIMELINE = 1_000_000_000
BEGIN = """
    WITH here AS (
        SELECT (('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint - 1)
               * %(epochs)s AS floor
    ), led AS (
        UPDATE trading_engine
        SET epoch = greatest(trading_engine.epoch, here.floor) + 1, host = %(host)s,
            core_hash = %(core_hash)s, detail = '', observed = 'RUNNING',
            heartbeat_at = clock_timestamp()
        FROM here, trading_engine AS former
        WHERE trading_engine.id = %(engine)s AND former.id = trading_engine.id
        RETURNING trading_engine.id, trading_engine.tenant_id, trading_engine.epoch,
                  former.epoch > 0 AND former.epoch <= here.floor AS may_have_lost
    ), held AS (
        INSERT INTO trading_hold (id, tenant_id, engine_id, kind, cause, reason, placed_at)
        SELECT gen_random_uuid(), tenant_id, id, %(kind)s, %(cause)s, %(why)s, clock_timestamp()
        FROM led WHERE may_have_lost
        ON CONFLICT DO NOTHING
    ), told AS (
        INSERT INTO trading_alert (id, tenant_id, engine_id, cause, words, raised_at)
        SELECT gen_random_uuid(), tenant_id, id, %(cause)s, %(why)s, clock_timestamp()
        FROM led WHERE may_have_lost
    )
    SELECT epoch FROM led
"""
BEAT = """
    UPDATE trading_engine
    SET heartbeat_at = clock_timestamp(), observed = 'RUNNING',
        priced_at = coalesce(clock_timestamp() - make_interval(secs => %s), priced_at)
    WHERE id = %s AND epoch = %s
"""
LOST = (
    "the database goes on on another timeline: a standby was promoted, or a backup restored; what "
    "was committed last may be lost, and the venue is asked what it knows"
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """How long a silent leader keeps the lock, how often it beats, when it stops by itself."""

    lease_seconds: float
    heartbeat_seconds: float
    self_stop_seconds: float


class PostgresLease:
    """Leadership of one engine; the connection is used for lock and heartbeat only."""

    def __init__(
        self,
        *,
        connect: dict[str, Any],
        tenant_id: str,
        engine_id: str,
        host: str,
        core_hash: str,
        times: LeaseTimes,
        clock: Clock,
        price_age: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._connect = connect
        self._tenant_id = tenant_id
        self._engine_id = engine_id
        self._host = host
        self._core_hash = core_hash
        self._times = times
        self._clock = clock
        self._price_age = price_age
        self._connection: AsyncConnection[Any] | None = None
        self._beat_at = float("-inf")
        self._epoch = 0
        self._released = asyncio.Event()

    @property
    def epoch(self) -> int:
        """The fence of this leadership; 0 before it began."""
        return self._epoch

    def is_held(self) -> bool:
        """Whether the last heartbeat is young enough to go on acting."""
        age = self._clock.monotonic() - self._beat_at
        return self._epoch > 0 and age < self._times.self_stop_seconds

    async def acquire(self) -> None:
        """Wait until no other engine leads, then begin a new epoch."""
        try:
            self._connection = await self._open()
            waiting = False
            while not await self._try_lock(self._connection):
                if not waiting:
                    await self._say_who_leads(self._connection)
                    waiting = True
                await self._clock.sleep(self._times.heartbeat_seconds / 2)
            await self._begin_epoch(self._connection)
        except BaseException:
            await self._close()
            raise
        log.info("leading", engine=self._engine_id, epoch=self._epoch)

    async def _open(self) -> AsyncConnection[Any]:
        connection = await AsyncConnection.connect(**self._connect, autocommit=True)
        milliseconds = int(self._times.lease_seconds * 1000)
        await connection.execute(
            sql.SQL("SET idle_session_timeout = {}").format(sql.Literal(milliseconds))
        )
        await connection.execute("SELECT set_config('app.tenant_id', %s, false)", [self._tenant_id])
        return connection

    async def _try_lock(self, connection: AsyncConnection[Any]) -> bool:
        key = int.from_bytes(UUID(self._engine_id).bytes[:8], "big", signed=True)
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [key])
        row = await cursor.fetchone()
        return bool(row and row[0])

    async def _say_who_leads(self, connection: AsyncConnection[Any]) -> None:
        cursor = await connection.execute(
            "SELECT host, epoch FROM trading_engine WHERE id = %s", [self._engine_id]
        )
        host, epoch = await cursor.fetchone() or ("nowhere", 0)
        words = (
            f"this account's engine runs on {host} already, epoch {epoch}; "
            "this one sends nothing and takes over when that one ends"
        )
        log.warning("standing_by", engine=self._engine_id, why=words)

    async def _begin_epoch(self, connection: AsyncConnection[Any]) -> None:
        """Above every one before, also of commits that a promoted standby never saw: the epochs of
        a later timeline begin higher. Such a change is a hold from the same statement on."""
        given = {"engine": self._engine_id, "host": self._host, "core_hash": self._core_hash,
                 "epochs": EPOCHS_OF_A_TIMELINE, "kind": BREAKER, "cause": LOST_COMMITS,
                 "why": LOST}  # fmt: skip
        row = await (await connection.execute(BEGIN, given)).fetchone()
        if row is None:
            raise NotLeader(f"engine {self._engine_id} does not exist in this tenant")
        await connection.execute("SET synchronous_commit = off")
        self._epoch = int(row[0])
        self._beat_at = self._clock.monotonic()

    async def keep(self) -> None:
        """Beat, and tell how old the newest price is, until released, or until the connection or the epoch is lost; then return.

        It is ended by ``release`` and never cancelled: a statement cancelled while its connection
        is being closed by the server may wait for ever.
        """
        while not await self._is_released_within(self._times.heartbeat_seconds):
            sent_at = self._clock.monotonic()
            try:
                alive = await self._beat_in_time()
            except psycopg.Error as error:
                log.error("leadership_lost", engine=self._engine_id, error=str(error))
                return
            if not alive:
                log.error("leadership_lost", engine=self._engine_id, error="epoch is over")
                return
            self._beat_at = sent_at

    async def _is_released_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._released.wait()
        except TimeoutError:
            return False
        return True

    async def _beat_in_time(self) -> bool:
        beat = asyncio.ensure_future(self._beat())
        await asyncio.wait({beat}, timeout=self._times.self_stop_seconds)
        if not beat.done() and self._connection is not None:
            cut(self._connection)
        return await beat

    async def _beat(self) -> bool:
        if self._connection is None:
            return False
        cursor = await self._connection.execute(
            BEAT, [self._price_age(), self._engine_id, self._epoch]
        )
        return cursor.rowcount == 1

    async def report(self, *, observed: str, detail: str) -> None:
        """Write how this leadership ended; silent when it is no longer ours to say."""
        if self._connection is None or self._connection.closed:
            return
        try:
            await self._connection.execute(
                "UPDATE trading_engine SET observed = %s, detail = %s WHERE id = %s AND epoch = %s",
                [observed, detail[:300], self._engine_id, self._epoch],
            )
        except psycopg.Error as error:
            log.warning("engine_report_failed", error=str(error))

    async def release(self) -> None:
        """Give leadership back by closing the connection; a standby gets the lock at once."""
        self._epoch = 0
        self._released.set()
        await self._close()

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
