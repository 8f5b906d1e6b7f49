"""What is sent to browsers: one envelope, the full latest value of one key, one version number.

Envelope: ``{"v": 1, "key": …, "seq": …, "data": {…}}``. ``seq`` grows per engine process; the page
keeps the newest value of each key. Decimals are strings, times are epoch milliseconds UTC, market
time unless the name says ``wall``.

Keys (``<m>`` is the engine's market index, ``<e>`` its id, also in each payload as ``engine_id``):

* ``engine::<e>``       EngineStatus
* ``bar:<m>:<e>``       Bar, the newest closed bar
* ``price:<m>:<e>``     Price, the newest between bars too
* ``position:<m>:<e>``  Position; ``side`` is "FLAT" without one
* ``decision:<m>:<e>``  Decision, the newest, as trading.core.explain tells it
* ``fill:<m>:<e>``      Fill, the newest
* ``alert::<e>``        Alert, the newest breaker that tripped
* ``bell::``            nothing in it: notifications came or were read, one's own may be among them

One text is a JSON list of envelopes: everything new since the last. A reader confirms with
``{"read": n}``, texts read since it connected, at least every ``CONFIRM_EVERY`` texts; without that
it gets the newest values seldom, and is closed (4408) when it stays silent.
"""

from typing import Any, TypedDict

VERSION = 1
CONFIRM_EVERY = 16


class EngineStatus(TypedDict):
    """Health of the engine and the account's money."""

    engine_id: str
    observed: str
    detail: str
    epoch: int
    mode: str
    venue: str
    market_data: str
    market_ms: int
    wall_ms: int
    bar_wall_ms: int
    bars: int
    decisions: int
    bars_per_second: float
    equity: str
    today: str
    cash: str
    realized: str
    fees: str
    currency: str
    holds: list[dict[str, str]]


class Alert(TypedDict):
    """A breaker that tripped."""

    engine_id: str
    cause: str
    words: str
    wall_ms: int


class Bar(TypedDict):
    """A closed bar."""

    symbol: str
    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Price(TypedDict):
    """What a market is worth now: for the eye alone, decisions are made on closed bars.

    ``source`` says whence it is: midway between the best prices (``middle``), the last trade
    (``trade``), or, where nothing between bars is heard, the newest closed bar (``close``).
    ``is_stale``: the venue's stream was lost, or silent for ten seconds, since it was heard.
    ``change`` (a fraction) and ``volume`` are of the last 24 hours, null where the venue does not
    tell. ``wall_ms`` is when it was heard, by the clock of ``EngineStatus.wall_ms``.
    """

    symbol: str
    price: str
    source: str
    bid: str
    ask: str
    change: float | None
    volume: float | None
    is_stale: bool
    wall_ms: int


class Position(TypedDict):
    """An open position, or side FLAT.

    ``last_price`` and ``is_stale`` are those of ``Price``; ``unrealized`` is before fees. How far the price must go, as
    a fraction of it, to meet stop and target say ``to_stop`` and ``to_target``; null: there is none.
    """

    symbol: str
    side: str
    quantity: str
    entry_price: str
    stop_price: str
    target_price: str
    last_price: str
    unrealized: str
    to_stop: float | None
    to_target: float | None
    is_stale: bool
    opened_ms: int


class Decision(TypedDict):
    """A decision in words, as trading.core.explain gives it: its votes and gates are open objects."""

    symbol: str
    bar_open_ms: int
    stage: str
    reason: str
    sentence: str
    score: float | None
    confidence: float | None
    regime: str
    equity: float
    votes: list[dict[str, Any]]
    gates: list[dict[str, Any]]


class Fill(TypedDict):
    """An execution."""

    symbol: str
    side: str
    quantity: str
    price: str
    fee: str
    purpose: str
    reason: str
    filled_ms: int
