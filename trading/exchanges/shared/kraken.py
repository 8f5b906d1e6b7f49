"""Kraken's public channels, shared: one subscription a pair and kind, one for all instruments."""

from collections.abc import Sequence
from typing import Any

import structlog

from trading.exchanges.kraken import instruments, names, tickers, trades
from trading.exchanges.kraken.stream_time import PONG, Pings, beat_of, rows_of, stamp_of
from trading.exchanges.public_rest import PublicRest
from trading.exchanges.shared.dialect import YOUNG_SECONDS, NotShared, Params, Reuse, Topic
from trading.exchanges.sockets import Broken, Frame

log = structlog.get_logger(__name__)

NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
CHANNEL = "ohlc"
TERMS: Topic = (instruments.CHANNEL, 0)
ASIDE = {tickers.CHANNEL: 0, trades.CHANNEL: -1}  # in place of the minutes of a pair's candles
REQUESTS = {0: tickers.request, -1: trades.request}
NUMBERS = {
    instruments.CHANNEL: 1,
    tickers.CHANNEL: 2,
    trades.CHANNEL: 3,
}  # refused, they are done without
SECOND = len("2026-01-31T12:00:00")
KEPT_ROWS = 2  # the running candle, and the one that may not be told yet
REUSE = {"Time": Reuse(), names.TABLE: Reuse(seconds=YOUNG_SECONDS)}


class KrakenDialect:
    """WebSocket v2 and public methods of REST."""

    def __init__(self) -> None:
        self._pairs: dict[str, names.Pair] = {}
        self._rows: dict[Topic, dict[str, Any]] = {}  # beginning of a candle -> its newest row
        self._stamp = ""
        self._second = ""  # of the newest heartbeat, or what stands for one
        self._pings = Pings()
        self._asked: set[str] = set()  # pairs of any engine
        self._terms: dict[str, dict[str, Any]] = {}  # pair -> as it was told last
        self._prices: dict[Topic, Frame] = {}  # idem

    async def open(self, rest: PublicRest) -> None:
        """Read the table of pairs, once."""
        if not self._pairs:
            self._pairs = names.read_pairs(await rest.public(names.TABLE))

    def topics(self, request: Frame) -> list[Topic]:
        """Pairs of a subscription to candles, prices or trades; all asked for have one topic of terms.

        Raises:
            NotShared: another channel, or a pair that is not listed.
        """
        params = request.get("params") or {}
        channel, is_asking = params.get("channel"), request.get("method") == "subscribe"
        if is_asking and channel == instruments.CHANNEL:
            return [TERMS]
        if not is_asking or channel not in (CHANNEL, *ASIDE):
            shared = ", ".join((CHANNEL, *ASIDE, instruments.CHANNEL))
            raise NotShared(f"channel {channel!r}: shared are {shared}")
        wanted = [str(symbol) for symbol in params.get("symbol") or []]
        unknown = [symbol for symbol in wanted if symbol not in self._pairs]
        if unknown:
            raise NotShared(f"Kraken does not list {unknown[0]}")
        self._asked |= set(wanted)
        minutes = ASIDE.get(str(channel), int(params.get("interval", 1)))
        return [(symbol, minutes) for symbol in wanted]

    def begin(self, topics: Sequence[Topic]) -> list[Frame]:
        """All subscriptions, one an interval."""
        self._second = ""
        self._rows.clear()
        self._terms.clear()
        self._prices.clear()
        return self.requests(topics)

    def requests(self, topics: Sequence[Topic]) -> list[Frame]:
        """Subscriptions, one an interval; that to terms comes first, those done without last."""
        kinds: dict[int, list[str]] = {}
        for symbol, minutes in (topic for topic in topics if topic != TERMS):
            kinds.setdefault(minutes, []).append(symbol)
        aside = {kind: kinds.pop(kind) for kind in REQUESTS if kind in kinds}
        wanted = [_numbered(instruments.request())] if TERMS in topics else []
        for minutes, symbols in kinds.items():
            params = {"channel": CHANNEL, "symbol": symbols, "interval": minutes}
            wanted.append({"method": "subscribe", "params": params})
        return [*wanted, *(_numbered(REQUESTS[kind](aside[kind])) for kind in aside)]

    def is_news(self, frame: Frame) -> bool:
        """Everything is.

        Raises:
            Broken: a subscription was refused that cannot be done without.
        """
        if frame.get("method") == "subscribe" and frame.get("success") is not True:
            why = frame.get("error", "no reason given")
            channels = {number: channel for channel, number in NUMBERS.items()}
            refused = channels.get(frame.get("req_id", 0))
            if refused is None:
                raise Broken(f"subscription refused: {why}")
            log.warning("channel_refused", channel=refused, why=why)
        return True

    def asks(self, frame: Frame) -> list[Frame]:
        """For the time, where a frame does not tell it."""
        return self._pings.after(frame)

    def confirmed(self, frame: Frame) -> list[Topic]:
        """The pair of a confirmation; what can be done without is not waited for."""
        if frame.get("method") != "subscribe":
            return []
        result = frame.get("result")
        if not isinstance(result, dict) or result.get("channel") != CHANNEL:
            return [TERMS]
        symbol = str(result.get("symbol"))
        aside = [(symbol, kind) for kind in REQUESTS]
        return [TERMS, *aside, (symbol, _interval(result))]

    def parts(self, frame: Frame) -> list[tuple[Topic | None, Frame]]:
        """Candles by pair and interval; prices and trades by pair; terms of those asked for; heartbeats.

        The venue's own heartbeats come only while nothing else does: each second one is made for
        who listens to a pair that has nothing to tell.
        """
        channel = frame.get("channel")
        if channel == instruments.CHANNEL:
            return self._part_of_terms(frame)
        if frame.get("method") == PONG:
            return self._beat(frame)
        if channel not in (CHANNEL, *ASIDE):
            return [(None, frame)] if channel else []
        rows: dict[Topic, list[Any]] = {}
        for row in rows_of(frame):
            minutes = ASIDE[channel] if channel in ASIDE else _interval(row)
            rows.setdefault((str(row.get("symbol")), minutes), []).append(row)
        parts: list[tuple[Topic | None, Frame]] = []
        for topic, told in rows.items():
            part = {**frame, "data": told}
            parts.append((topic, part))
            self._keep(topic, part)
        return [*parts, *self._beat(frame)]

    def _beat(self, frame: Frame) -> list[tuple[Topic | None, Frame]]:
        stamp = stamp_of(frame)
        if stamp[:SECOND] <= self._second:
            return []
        self._second = stamp[:SECOND]
        return [(None, beat_of(stamp))]

    def _part_of_terms(self, frame: Frame) -> list[tuple[Topic | None, Frame]]:
        told = {str(row.get("symbol")): dict(row) for row in instruments.rows_of(frame)}
        for symbol, row in told.items():
            self._terms[symbol] = self._terms.get(symbol, {}) | row
        mine = [self._terms[symbol] for symbol in told if symbol in self._asked]
        return [(TERMS, _terms_frame(mine, kind=str(frame.get("type"))))] if mine else []

    def _keep(self, topic: Topic, frame: Frame) -> None:
        if topic[1] in REQUESTS:
            if topic[1] == ASIDE[tickers.CHANNEL]:
                self._prices[topic] = frame
            return
        self._stamp = str(frame.get("timestamp", self._stamp))
        kept = self._rows.setdefault(topic, {})
        kept.update({str(row.get("interval_begin")): row for row in frame["data"]})
        for oldest in sorted(kept)[:-KEPT_ROWS]:
            del kept[oldest]

    def newest(self, topic: Topic) -> Frame | None:
        """The newest candles or prices of a pair, or the terms of all asked for, as they stand."""
        if topic == TERMS:
            mine = [row for symbol, row in self._terms.items() if symbol in self._asked]
            return _terms_frame(mine, kind="snapshot") if mine else None
        if topic[1] in REQUESTS:
            return self._prices.get(topic)
        rows = list(self._rows.get(topic, {}).values())
        told = {"channel": CHANNEL, "type": "snapshot", "timestamp": self._stamp, "data": rows}
        return told if rows else None

    def reuse(self, path: str, params: Params) -> Reuse:
        """Candles change as they close.

        Raises:
            NotShared: another method.
        """
        if path == "OHLC":
            return Reuse(candle_ns=int(params.get("interval", 1)) * MINUTE_NS)
        if path not in REUSE:
            raise NotShared(f"method {path!r}: shared are OHLC, {', '.join(REUSE)}")
        return REUSE[path]

    def rows(self, table: Any, symbols: Sequence[str]) -> Any:
        """By their names on the WebSocket, which renames some.

        Raises:
            NotShared: it is no table of pairs.
        """
        try:
            return {key: row for key, row in table.items() if names.symbol_of(row) in symbols}
        except AttributeError:
            raise NotShared(f"rows of symbols: shared are those of {names.TABLE}") from None

    def time_ns(self, path: str, answer: Any) -> int:
        """Of ``Time``."""
        return int(answer["unixtime"]) * NS if path == "Time" else 0


def _interval(told: Frame) -> int:
    """Minutes, as the venue says beside a pair."""
    minutes = told.get("interval")
    return minutes if isinstance(minutes, int) else 1


def _numbered(request: Frame) -> Frame:
    return {**request, "req_id": NUMBERS[request["params"]["channel"]]}


def _terms_frame(rows: Sequence[Any], *, kind: str) -> Frame:
    return {"channel": instruments.CHANNEL, "type": kind, "data": {"assets": [], "pairs": rows}}
