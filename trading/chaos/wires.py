"""Whose wire a day is spoken over: the customer's place there, our adapter, and how fills are named."""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from trading.engine.messages import MarketSpec
from trading.engine.ports import MarketFeed
from trading.exchanges.coinbase import call_rate as coinbase_rate
from trading.exchanges.coinbase.desk import CoinbaseDesk
from trading.exchanges.coinbase.live import CoinbaseVenue
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import Signer
from trading.exchanges.kraken.call_rate import CallRate
from trading.exchanges.kraken.counters import Limit
from trading.exchanges.kraken.dead_man import Protection
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.live import KrakenVenue
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.socket_road import SocketRoad
from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.coinbase_asked import Asked
from trading.exchanges.simulator.coinbase_tickets import entry_id
from trading.exchanges.simulator.coinbase_words import product_of
from trading.exchanges.simulator.rules import Wish
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.venue_clock import VenueClock
from trading.exchanges.wire_venue import WireVenue

KEY = "campaign"
SYMBOL = "BTC/USD"
FOREIGN = "mine"
FOREIGN_QUANTITY, ABOVE_ANY_PRICE = Decimal("0.5"), Decimal("999999.9")
AUDIT_SECONDS = 0.03  # a day passes in seconds
ANSWER_SECONDS = 1.0  # how long a day waits for an answer that does not come
BOUNDLESS = 1_000_000

Event = Mapping[str, Any]
Close = Callable[[], Awaitable[None]]
Connect = Callable[..., tuple[WireVenue, KrakenDesk | CoinbaseDesk, Close]]
Wall = Callable[[], int] | None


@dataclass(frozen=True, slots=True)
class Wire:
    """One side of the simulator and the adapter that speaks with it.

    ``settles_seconds`` is how long after the last trouble nothing may be unclear any more.
    """

    name: str
    secret: str
    settles_seconds: int
    open_account: Callable[[Simulator, Mapping[str, Decimal]], Account]
    place_foreign: Callable[[Simulator], None]
    connect: Connect
    fill_name: Callable[[str], str]

    def as_told(self, oracle: Sequence[Event]) -> list[Event]:
        """The venue's log with fills under the names that its customers are told."""
        return [
            {**one, "trade_id": self.fill_name(one["trade_id"])} if one["kind"] == "fill" else one
            for one in oracle
        ]


def uncounted() -> CallRate:
    """Calls as many as one likes, where the venue's own counter is as patient."""
    return CallRate(Limit(BOUNDLESS, BOUNDLESS))


def _open_at_kraken(simulator: Simulator, funds: Mapping[str, Decimal]) -> Account:
    account = simulator.add_account(key=KEY, secret=KRAKEN.secret, balances=funds)
    account.calls.most = BOUNDLESS
    return account


def _open_at_coinbase(simulator: Simulator, funds: Mapping[str, Decimal]) -> Account:
    sides = simulator.coinbase
    sides.rest.limits.private = sides.rest.limits.public = BOUNDLESS
    sides.rest.limits.wait_seconds = 0.02
    sides.sockets.connections.public = sides.sockets.messages.public = BOUNDLESS
    return sides.add_account(key=KEY, secret=COINBASE.secret, balances=funds)


def _place_at_kraken(simulator: Simulator) -> None:
    wish = Wish(SYMBOL, "sell", "limit", FOREIGN_QUANTITY, ABOVE_ANY_PRICE, FOREIGN)
    simulator.exchange.place(simulator.exchange.accounts[KEY], wish)


def _place_at_coinbase(simulator: Simulator) -> None:
    sizes = {"base_size": str(FOREIGN_QUANTITY), "limit_price": str(ABOVE_ANY_PRICE)}
    body = {
        "client_order_id": FOREIGN,
        "product_id": product_of(SYMBOL),
        "side": "SELL",
        "order_configuration": {"limit_limit_gtc": sizes},
    }
    account = simulator.exchange.accounts[KEY]
    simulator.coinbase.rest.desk.place(Asked(account, {}, {}, body))


def _connect_kraken(**given: Any) -> tuple[WireVenue, KrakenDesk, Close]:
    venue, desk, close = _connect_kraken_by_socket(**given)
    desk.prefers_socket = False
    return venue, desk, close


def _connect_kraken_with_switch(**given: Any) -> tuple[WireVenue, KrakenDesk, Close]:
    return _connect_kraken_by_socket(**given, protection=Protection.SWITCH)


def _connect_kraken_by_socket(
    *,
    address: str,
    specs: Sequence[MarketSpec],
    clock: VenueClock,
    feed: MarketFeed,
    wall_ns: Wall = None,
    protection: Protection = Protection.STOPS,
) -> tuple[WireVenue, KrakenDesk, Close]:
    rest = KrakenRest(url=address, key=KEY, secret=KRAKEN.secret, calls=uncounted())
    desk = KrakenDesk(
        rest=rest,
        specs=specs,
        clock=clock,
        wall_ns=wall_ns,
        socket=SocketRoad(answer_seconds=ANSWER_SECONDS),
        protection=protection,
    )
    venue = KrakenVenue(
        desk=desk,
        feed=feed,
        ws_url=f"{address.replace('http', 'ws', 1)}/v2/auth",
        audit_seconds=AUDIT_SECONDS,
        look_seconds=AUDIT_SECONDS,
    )
    return venue, desk, rest.close


def _connect_coinbase(
    *,
    address: str,
    specs: Sequence[MarketSpec],
    clock: VenueClock,
    feed: MarketFeed,
    wall_ns: Wall = None,
) -> tuple[WireVenue, CoinbaseDesk, Close]:
    signer = Signer(name=KEY, secret=COINBASE.secret)
    url, calls = f"{address}/api/v3/brokerage", coinbase_rate.CallRate(BOUNDLESS)
    rest = CoinbaseRest(url=url, clock=clock, signer=signer, calls=calls)
    desk = CoinbaseDesk(rest=rest, specs=specs, clock=clock, wall_ns=wall_ns)
    socket = f"{address.replace('http', 'ws', 1)}/coinbase/ws/user"
    venue = CoinbaseVenue(desk=desk, feed=feed, ws_url=socket, audit_seconds=AUDIT_SECONDS)
    return venue, desk, rest.close


KRAKEN = Wire(
    name="kraken",
    secret=base64.b64encode(bytes(range(64))).decode(),
    settles_seconds=30,
    open_account=_open_at_kraken,
    place_foreign=_place_at_kraken,
    connect=_connect_kraken,
    fill_name=str,
)
KRAKEN_SOCKET = replace(KRAKEN, name="kraken-socket", connect=_connect_kraken_by_socket)
KRAKEN_SWITCH = replace(KRAKEN, name="kraken-switch", connect=_connect_kraken_with_switch)
COINBASE = Wire(
    name="coinbase",
    secret=base64.b64encode(bytes(range(32))).decode(),
    settles_seconds=90,
    open_account=_open_at_coinbase,
    place_foreign=_place_at_coinbase,
    connect=_connect_coinbase,
    fill_name=entry_id,
)
WIRES: Mapping[str, Wire] = {
    wire.name: wire for wire in (KRAKEN, KRAKEN_SOCKET, KRAKEN_SWITCH, COINBASE)
}
