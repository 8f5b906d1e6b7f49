"""Coinbase's trades, shared: one subscription a product; who listens makes candles of them."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from trading.exchanges.coinbase import names
from trading.exchanges.coinbase.candles import GRANULARITIES
from trading.exchanges.coinbase.rest import read_time_ns
from trading.exchanges.coinbase.sockets import HEARTBEATS, FrameCount, events_of
from trading.exchanges.public_rest import PublicRest
from trading.exchanges.shared.dialect import YOUNG_SECONDS, NotShared, Params, Reuse, Topic
from trading.exchanges.sockets import Broken, Frame

NS = 1_000_000_000
CHANNEL = "market_trades"
TIME = "/time"
REUSE = {TIME: Reuse(), names.PRODUCTS: Reuse(seconds=YOUNG_SECONDS)}
LENGTHS_NS = {word: seconds * NS for seconds, word in GRANULARITIES.items()}


class CoinbaseDialect:
    """Market data WebSocket and public paths of REST."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}  # product -> those under which its trades may come
        self._count = FrameCount()
        self._unconfirmed: deque[list[Topic]] = deque()

    async def open(self, rest: PublicRest) -> None:
        """Read the list of products, once."""
        if not self._names:
            told = await rest.public(names.PRODUCTS)
            for product in names.read_list(told).values():
                self._names.setdefault(product.product_id, {product.product_id})
                if product.alias:
                    self._names.setdefault(product.alias, {product.alias})
                    self._names[product.alias].add(product.product_id)
                    self._names[product.product_id].add(product.alias)

    def topics(self, request: Frame) -> list[Topic]:
        """Products of a subscription to trades.

        Raises:
            NotShared: another channel, or a product that is not listed.
        """
        channel = request.get("channel")
        if request.get("type") != "subscribe" or channel not in (CHANNEL, HEARTBEATS):
            raise NotShared(f"channel {channel!r}: shared is {CHANNEL}")
        wanted = [str(product_id) for product_id in request.get("product_ids") or []]
        unknown = [product_id for product_id in wanted if product_id not in self._names]
        if unknown:
            raise NotShared(f"Coinbase does not list {unknown[0]}")
        return [(product_id, 0) for product_id in wanted]

    def begin(self, topics: Sequence[Topic]) -> list[Frame]:
        """All products, and heartbeats."""
        self._count = FrameCount()
        self._unconfirmed.clear()
        beats = {"type": "subscribe", "channel": HEARTBEATS}
        self._unconfirmed.append([])
        return [beats, *self.requests(topics)]

    def requests(self, topics: Sequence[Topic]) -> list[Frame]:
        """One subscription."""
        self._unconfirmed.append(list(topics))
        products = [product_id for product_id, _ in topics]
        return [{"type": "subscribe", "channel": CHANNEL, "product_ids": products}]

    def is_news(self, frame: Frame) -> bool:
        """Frames in their order, each once.

        Raises:
            Broken: one is missing, or a subscription was refused.
        """
        if frame.get("type") == "error":
            raise Broken(f"refused: {frame.get('message', 'no reason given')}")
        return "channel" in frame and self._count.is_next(frame)

    def asks(self, _: Frame) -> list[Frame]:
        """Nothing: every frame tells its time."""
        return []

    def confirmed(self, frame: Frame) -> list[Topic]:
        """The products of the oldest request without a confirmation: they come in this order."""
        is_answer = frame["channel"] == "subscriptions" and self._unconfirmed
        return self._unconfirmed.popleft() if is_answer else []

    def parts(self, frame: Frame) -> list[tuple[Topic | None, Frame]]:
        """Trades by product; heartbeats for all."""
        if frame["channel"] == "subscriptions":
            return []
        if frame["channel"] != CHANNEL:
            return [(None, frame)]
        found: dict[Topic, list[Frame]] = {}
        for event in events_of(frame):
            trades: dict[str, list[Any]] = {}
            told = event.get("trades")
            for trade in told if isinstance(told, list) else []:
                product_id = str(trade.get("product_id")) if isinstance(trade, dict) else ""
                for name in self._names.get(product_id, ()):
                    trades.setdefault(name, []).append(trade)
            for name, mine in trades.items():
                found.setdefault((name, 0), []).append({**event, "trades": mine})
        return [(topic, {**frame, "events": events}) for topic, events in found.items()]

    def newest(self, _: Topic) -> Frame | None:
        """Nothing: an interval that was heard in part is asked for by REST."""
        return None

    def reuse(self, path: str, params: Params) -> Reuse:
        """Candles change as they close.

        Raises:
            NotShared: another path.
        """
        if path.startswith(f"{names.PRODUCTS}/") and path.endswith("/candles"):
            return Reuse(candle_ns=LENGTHS_NS.get(str(params.get("granularity")), 1))
        if path not in REUSE:
            raise NotShared(f"path {path!r}: shared are candles, {', '.join(REUSE)}")
        return REUSE[path]

    def rows(self, table: Any, symbols: Sequence[str]) -> Any:
        """By their currencies.

        Raises:
            NotShared: it is no list of products.
        """
        try:
            listed = table.get("products") or []
            return {"products": [one for one in listed if names.symbol_of(one) in symbols]}
        except AttributeError:
            raise NotShared(f"rows of symbols: shared are those of {names.PRODUCTS}") from None

    def time_ns(self, path: str, answer: Any) -> int:
        """Of ``/time``."""
        return read_time_ns(answer) if path == TIME else 0
