"""Kraken's candles and terms, shared: one subscription a pair and interval, one for all instruments."""

from collections.abc import Sequence
from typing import Any

import structlog

from trading.exchanges.kraken import instruments, names
from trading.exchanges.public_rest import PublicRest
from trading.exchanges.shared.dialect import YOUNG_SECONDS, NotShared, Params, Reuse, Topic
from trading.exchanges.sockets import Broken, Frame

log = structlog.get_logger(__name__)

NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
CHANNEL = "ohlc"
TERMS: Topic = (instruments.CHANNEL, 0)
TERMS_NUMBER = 1  # of the one request whose refusal nobody minds
KEPT_ROWS = 2  # the running candle, and the one that may not be told yet
REUSE = {"Time": Reuse(), names.TABLE: Reuse(seconds=YOUNG_SECONDS)}


class KrakenDialect:
    """WebSocket v2 and public methods of REST."""

    def __init__(self) -> None:
        self._pairs: dict[str, names.Pair] = {}
        self._rows: dict[Topic, dict[str, Any]] = {}  # beginning of a candle -> its newest row
        self._stamp = ""
        self._asked: set[str] = set()  # pairs of any engine
        self._terms: dict[str, dict[str, Any]] = {}  # pair -> as it was told last

    async def open(self, rest: PublicRest) -> None:
        """Read the table of pairs, once."""
        if not self._pairs:
            self._pairs = names.read_pairs(await rest.public(names.TABLE))

    def topics(self, request: Frame) -> list[Topic]:
        """Pairs of a subscription to candles; the terms of all that are asked for are one topic.

        Raises:
            NotShared: another channel, or a pair that is not listed.
        """
        params = request.get("params") or {}
        channel, is_asking = params.get("channel"), request.get("method") == "subscribe"
        if is_asking and channel == instruments.CHANNEL:
            return [TERMS]
        if not is_asking or channel != CHANNEL:
            shared = f"{CHANNEL}, {instruments.CHANNEL}"
            raise NotShared(f"channel {channel!r}: shared are {shared}")
        wanted = [str(symbol) for symbol in params.get("symbol") or []]
        unknown = [symbol for symbol in wanted if symbol not in self._pairs]
        if unknown:
            raise NotShared(f"Kraken does not list {unknown[0]}")
        self._asked |= set(wanted)
        return [(symbol, int(params.get("interval", 1))) for symbol in wanted]

    def begin(self, topics: Sequence[Topic]) -> list[Frame]:
        """All subscriptions, one an interval."""
        self._rows.clear()
        self._terms.clear()
        return self.requests(topics)

    def requests(self, topics: Sequence[Topic]) -> list[Frame]:
        """Subscriptions, one an interval; that to terms comes first."""
        wanted = [{**instruments.request(), "req_id": TERMS_NUMBER}] if TERMS in topics else []
        intervals: dict[int, list[str]] = {}
        for symbol, interval in (topic for topic in topics if topic != TERMS):
            intervals.setdefault(interval, []).append(symbol)
        for interval, symbols in intervals.items():
            params = {"channel": CHANNEL, "symbol": symbols, "interval": interval}
            wanted.append({"method": "subscribe", "params": params})
        return wanted

    def is_news(self, frame: Frame) -> bool:
        """Everything is.

        Raises:
            Broken: a subscription was refused that cannot be done without.
        """
        if frame.get("method") == "subscribe" and frame.get("success") is not True:
            why = frame.get("error", "no reason given")
            if frame.get("req_id") != TERMS_NUMBER:
                raise Broken(f"subscription refused: {why}")
            log.warning("channel_refused", channel=instruments.CHANNEL, why=why)
        return True

    def confirmed(self, frame: Frame) -> list[Topic]:
        """The pair of a confirmation; terms are not waited for, REST tells them too."""
        if frame.get("method") != "subscribe":
            return []
        result = frame.get("result")
        if not isinstance(result, dict) or "symbol" not in result:
            return [TERMS]
        return [TERMS, (str(result["symbol"]), _interval(result))]

    def parts(self, frame: Frame) -> list[tuple[Topic | None, Frame]]:
        """Candles by pair and interval; terms of the pairs asked for; heartbeats for all."""
        if frame.get("channel") == instruments.CHANNEL:
            return self._part_of_terms(frame)
        if frame.get("channel") != CHANNEL:
            return [(None, frame)] if "channel" in frame else []
        rows: dict[Topic, list[Any]] = {}
        told = frame.get("data")
        for row in told if isinstance(told, list) else []:
            if isinstance(row, dict):
                rows.setdefault((str(row.get("symbol")), _interval(row)), []).append(row)
        self._stamp = str(frame.get("timestamp", self._stamp))
        for topic, mine in rows.items():
            self._keep(topic, mine)
        return [(topic, {**frame, "data": mine}) for topic, mine in rows.items()]

    def _part_of_terms(self, frame: Frame) -> list[tuple[Topic | None, Frame]]:
        told = {str(row.get("symbol")): dict(row) for row in instruments.rows_of(frame)}
        for symbol, row in told.items():
            self._terms[symbol] = self._terms.get(symbol, {}) | row
        mine = [self._terms[symbol] for symbol in told if symbol in self._asked]
        return [(TERMS, _terms_frame(mine, kind=str(frame.get("type"))))] if mine else []

    def _keep(self, topic: Topic, rows: Sequence[Any]) -> None:
        kept = self._rows.setdefault(topic, {})
        kept.update({str(row.get("interval_begin")): row for row in rows})
        for oldest in sorted(kept)[:-KEPT_ROWS]:
            del kept[oldest]

    def newest(self, topic: Topic) -> Frame | None:
        """The newest candles, or the terms of all pairs asked for, as they stand."""
        if topic == TERMS:
            mine = [row for symbol, row in self._terms.items() if symbol in self._asked]
            return _terms_frame(mine, kind="snapshot") if mine else None
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


def _terms_frame(rows: Sequence[Any], *, kind: str) -> Frame:
    return {"channel": instruments.CHANNEL, "type": kind, "data": {"assets": [], "pairs": rows}}
