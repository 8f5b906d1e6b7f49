"""Statements sent without waiting for each other's answers, and what a transaction reads first."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import generators

from trading.engine.messages import MarketSpec

# Of the locks on a row the weakest that keeps its key, which the epoch is part of: a takeover waits for
# our commit, a heartbeat and a person's word on the same row do not, nor we for theirs.
FENCE = "SELECT 1 FROM trading_engine WHERE id = %s AND epoch = %s FOR KEY SHARE"
INTENTS = """
    SELECT wanted.market, wanted.seq, intent.id, orders.id, orders.venue_order_id,
           orders.filled_quantity
    FROM unnest(%s::int[], %s::uuid[], %s::bigint[], %s::bigint[])
         AS wanted (market, bot, instrument, seq)
    JOIN trading_orderintent intent
      ON intent.tenant_id = %s AND intent.engine_id = %s AND intent.bot_id = wanted.bot
         AND intent.instrument_id = wanted.instrument AND intent.seq = wanted.seq
    LEFT JOIN trading_order orders
      ON orders.tenant_id = intent.tenant_id AND orders.intent_id = intent.id
"""


TIMED_TRANSACTIONS = 170_000  # PostgreSQL 17 and newer
SLOW_IS_NOT_HUNG = 2  # a transaction may take so many times the longest pause


def limit_pauses(*, most_ms: int) -> None:
    """A leader that hangs inside a transaction must not keep the fence's row locked for ever.

    Between two statements of ``pipelined`` the server waits without being idle in its own sense; there
    only the limit of the whole transaction ends a session.
    """
    with connection.cursor() as cursor:
        told = "SELECT set_config(%s, %s, false)"
        cursor.execute(told, ["idle_in_transaction_session_timeout", str(most_ms)])
        if may_pipeline():
            cursor.execute(told, ["transaction_timeout", str(SLOW_IS_NOT_HUNG * most_ms)])


def may_pipeline() -> bool:
    """Whether the server ends a transaction that takes too long."""
    return bool(connection.connection.info.server_version >= TIMED_TRANSACTIONS)


@contextmanager
def pipelined() -> Iterator[None]:
    """The server is waited for only where an answer is read, and at COMMIT.

    What a statement did wrong is raised there. A count of changed rows is not known in here, so what
    needs one (``save`` of a stored row, ``update_or_create``) must not be used. A server that could be
    kept waiting for ever is sent one statement after the other.
    """
    ahead = connection.connection.pipeline() if may_pipeline() else nullcontext()
    with connection.wrap_database_errors, ahead:
        yield


@contextmanager
def told_whole() -> Iterator[None]:
    """The server has every byte of what was said in here, before its transaction ends.

    In a pipeline psycopg hands a statement to the socket once and, at COMMIT and ROLLBACK, waits for
    the answer: what did not fit would never be sent, and the server would wait for it as long.
    """
    try:
        yield
    finally:
        told = connection.connection
        told.wait(generators.send(told.pgconn))


@dataclass(slots=True)
class KnownOrder:
    """An order at the venue, and how much of it is booked."""

    id: UUID
    filled: Decimal = Decimal(0)


@dataclass(slots=True)
class KnownIntent:
    """An intent's row and its orders by the venue's names."""

    id: UUID
    orders: dict[str, KnownOrder] = field(default_factory=dict)


Key = tuple[int, int]  # market, seq


def ask_intents(
    cursor: Any, wanted: Sequence[Key], specs: Sequence[MarketSpec], *, whose: tuple[str, str]
) -> None:
    """Send the question for these intents of a tenant's engine; ``read_intents`` takes the answer."""
    columns = (
        [market for market, _ in wanted],
        [specs[market].bot_id for market, _ in wanted],
        [specs[market].instrument_id for market, _ in wanted],
        [seq for _, seq in wanted],
    )
    cursor.execute(INTENTS, [*columns, *whose])


def read_intents(cursor: Any) -> dict[Key, KnownIntent]:
    """The intents asked for, with their orders."""
    known: dict[Key, KnownIntent] = {}
    for market, seq, intent_id, order_id, name, filled in cursor.fetchall():
        intent = known.setdefault((market, seq), KnownIntent(intent_id))
        if order_id is not None:
            intent.orders[name] = KnownOrder(order_id, filled)
    return known
