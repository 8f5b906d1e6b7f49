"""Kraken's candles, shared: one subscription a pair and interval."""

from collections.abc import Sequence
from typing import Any

from trading.exchanges.kraken import names
from trading.exchanges.public_rest import PublicRest
from trading.exchanges.shared.dialect import YOUNG_SECONDS, NotShared, Params, Reuse, Topic
from trading.exchanges.sockets import Broken, Frame

NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
CHANNEL = "ohlc"
KEPT_ROWS = 2  # the running candle, and the one that may not be told yet
REUSE = {"Time": Reuse(), names.TABLE: Reuse(seconds=YOUNG_SECONDS)}


class KrakenDialect:
    """WebSocket v2 and public methods of REST."""

    def __init__(self) -> None:
        self._pairs: dict[str, names.Pair] = {}
        self._rows: dict[Topic, dict[str, Any]] = {}  # beginning of a candle -> its newest row
        self._stamp = ""

    async def open(self, rest: PublicRest) -> None:
        """Read the table of pairs, once."""
        if not self._pairs:
            self._pairs = names.read_pairs(await rest.public(names.TABLE))

    def topics(self, request: Frame) -> list[Topic]:
        """Pairs of a subscription to candles.

        Raises:
            NotShared: another channel, or a pair that is not listed.
        """
        params = request.get("params") or {}
        if request.get("method") != "subscribe" or params.get("channel") != CHANNEL:
            raise NotShared(f"channel {params.get('channel')!r}: shared is {CHANNEL}")
        wanted = [str(symbol) for symbol in params.get("symbol") or []]
        unknown = [symbol for symbol in wanted if symbol not in self._pairs]
        if unknown:
            raise NotShared(f"Kraken does not list {unknown[0]}")
        return [(symbol, int(params.get("interval", 1))) for symbol in wanted]

    def begin(self, topics: Sequence[Topic]) -> list[Frame]:
        """All subscriptions, one an interval."""
        self._rows.clear()
        return self.requests(topics)

    def requests(self, topics: Sequence[Topic]) -> list[Frame]:
        """Subscriptions, one an interval."""
        intervals: dict[int, list[str]] = {}
        for symbol, interval in topics:
            intervals.setdefault(interval, []).append(symbol)
        return [
            {
                "method": "subscribe",
                "params": {"channel": CHANNEL, "symbol": symbols, "interval": interval},
            }
            for interval, symbols in intervals.items()
        ]

    def is_news(self, frame: Frame) -> bool:
        """Everything is.

        Raises:
            Broken: a subscription was refused.
        """
        if frame.get("method") == "subscribe" and frame.get("success") is not True:
            raise Broken(f"subscription refused: {frame.get('error', 'no reason given')}")
        return True

    def confirmed(self, frame: Frame) -> list[Topic]:
        """The pair of a confirmation."""
        result = frame.get("result")
        if frame.get("method") != "subscribe" or not isinstance(result, dict):
            return []
        return [(str(result.get("symbol")), int(result.get("interval", 1)))]

    def parts(self, frame: Frame) -> list[tuple[Topic | None, Frame]]:
        """Candles by pair and interval; heartbeats for all."""
        if frame.get("channel") != CHANNEL:
            return [(None, frame)] if "channel" in frame else []
        rows: dict[Topic, list[Any]] = {}
        for row in frame.get("data") or []:
            topic = (str(row.get("symbol")), int(row.get("interval", 1)))
            rows.setdefault(topic, []).append(row)
        self._stamp = str(frame.get("timestamp", self._stamp))
        for topic, told in rows.items():
            self._keep(topic, told)
        return [(topic, {**frame, "data": told}) for topic, told in rows.items()]

    def _keep(self, topic: Topic, rows: Sequence[Any]) -> None:
        kept = self._rows.setdefault(topic, {})
        kept.update({str(row.get("interval_begin")): row for row in rows})
        for oldest in sorted(kept)[:-KEPT_ROWS]:
            del kept[oldest]

    def newest(self, topic: Topic) -> Frame | None:
        """The newest candles, as they stand."""
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
