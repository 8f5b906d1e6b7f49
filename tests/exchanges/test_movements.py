"""Money that moves without us: heard at once, looked at as ever, and never a trade of ours mistaken for it."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.bench import WireBench, seat
from tests.exchanges.street import FUNDS, KEY, LiveStreet, check_books, open_simulator, oracle
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import KRAKEN, KRAKEN_SOCKET, Wire
from trading.core.codes import Purpose
from trading.engine.messages import AccountMoved
from trading.engine.watch import Rhythm
from trading.exchanges.known_orders import KnownOrders
from trading.exchanges.kraken import movements
from trading.exchanges.kraken.movements import Movements
from trading.exchanges.kraken.sockets import Subscriptions
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.rules import Wish
from trading.exchanges.sockets import Broken, Connected

BARS = stormy_bars(5, 60)
NEVER = 3600.0


@pytest.fixture(autouse=True)
def hasty(monkeypatch) -> None:
    monkeypatch.setattr(movements, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(movements, "CALM_SECONDS", 0.0)


@pytest.fixture
async def bench() -> AsyncIterator[WireBench]:
    async with seat(KRAKEN_SOCKET) as made:
        await made.listen()
        yield made


def moved(bench: WireBench) -> list[str]:
    return [one.words for one in bench.heard if isinstance(one, AccountMoved)]


async def noticed(bench: WireBench, count: int = 1) -> str:
    """The newest of so many notices."""
    await bench.until(lambda: len(moved(bench)) >= count)
    return moved(bench)[-1]


async def test_what_we_trade_moves_nothing_and_what_is_drawn_does(bench: WireBench) -> None:
    await bench.protected()
    await bench.submit(bench.order(Purpose.EXIT, 400))
    await bench.until(lambda: bench.filled == 800)
    await asyncio.sleep(0.3)
    assert moved(bench) == []

    bench.simulator.exchange.move(bench.account, "USD", Decimal("-250.5"))

    assert await noticed(bench) == "withdrawal of -250.5 USD, spot wallet"


@pytest.mark.parametrize(
    ("asset", "amount", "words"),
    [
        ("BTC", "0.25", "deposit of 0.25 BTC, spot wallet"),
        ("BTC.F", "0.25", "deposit of 0.25 BTC, earn wallet"),
    ],
)
async def test_money_that_comes_or_begins_to_earn_is_noticed(
    bench: WireBench, asset: str, amount: str, words: str
) -> None:
    bench.simulator.exchange.move(bench.account, asset, Decimal(amount))

    assert await noticed(bench) == words
    assert (await bench.venue.look()).holdings["BTC"].total == bench.account.balances["BTC"]


async def test_a_trade_of_somebody_else_is_noticed(bench: WireBench) -> None:
    exchange = bench.simulator.exchange
    exchange.place(bench.account, Wish("BTC/USD", "sell", "market", Decimal("0.1")))

    assert await noticed(bench) == "trade of -0.1 BTC, spot wallet: not ours"


async def test_a_gap_is_closed_by_another_snapshot_on_the_same_connection(bench: WireBench) -> None:
    exchange = bench.simulator.exchange
    exchange.faults.arm(Fault("drop", "balances"))
    exchange.move(bench.account, "USD", Decimal(-1))
    await asyncio.sleep(0.3)
    assert moved(bench) == []

    exchange.move(bench.account, "USD", Decimal(-1))
    assert await noticed(bench) == "balances were told anew"
    exchange.move(bench.account, "USD", Decimal(-1))
    await noticed(bench, 2)

    tokens = [one for one in oracle(bench.simulator, "request") if "Token" in one["method"]]
    assert len(tokens) == 1


async def test_each_message_counts_once_and_none_after_a_gap() -> None:
    heard: list[str] = []
    moving = Movements(KnownOrders(), notice=heard.append)
    first = moving.subscription("token")

    async def hear(kind: str, **told: Any) -> list[str]:
        """The methods it asks for because of a message."""
        rows = [{"type": "deposit", "amount": told.get("sequence"), "asset": "USD"}]
        ask = moving.hear({"channel": "balances", "type": kind, "data": rows, **told})
        await asyncio.sleep(0.02)
        return [one["method"] for one in ask.requests] if ask else []

    assert (first["method"], first["params"]["token"]) == ("subscribe", "token")
    assert await hear("update", sequence=7) == []
    assert await hear("snapshot", sequence=1) == []
    assert await hear("update", sequence=2) == []
    assert await hear("update", sequence=2) == []
    assert await hear("update") == []  # without a number none can be missing
    assert await hear("update", sequence=4) == ["unsubscribe", "subscribe"]
    assert await hear("update", sequence=5) == []
    assert [words.split()[2] for words in heard] == ["2", "None"]
    await hear("snapshot", sequence=1)
    async with asyncio.timeout(10):
        while heard[-1] != "balances were told anew":
            await asyncio.sleep(0.01)
    await hear("update", sequence=2)
    assert [words.split()[2] for words in heard] == ["2", "None", "told", "2"]


async def test_what_may_have_moved_between_two_connections_is_noticed(bench: WireBench) -> None:
    bench.simulator.close_sockets()

    assert await noticed(bench) == "balances were told anew"


async def test_many_movements_are_few_notices(bench: WireBench, monkeypatch) -> None:
    monkeypatch.setattr(movements, "CALM_SECONDS", NEVER)

    for _ in range(20):
        bench.simulator.exchange.move(bench.account, "USD", Decimal(-1))
        await asyncio.sleep(0.01)

    assert len(moved(bench)) == 1


def refusal(number: Any) -> dict[str, Any]:
    return {"method": "subscribe", "success": False, "error": "EGeneral:Permission denied",
            "req_id": number}  # fmt: skip


@pytest.mark.parametrize("extra", ["balances", "instrument"])
async def test_what_rest_tells_too_can_be_done_without(extra: str) -> None:
    async def ask() -> list[dict[str, Any]]:
        return [{"method": "subscribe", "params": {"channel": name}}
                for name in ("executions", extra)]  # fmt: skip

    talk = Subscriptions(ask)
    await talk.requests()

    assert talk.hear(refusal(2)) is None
    assert isinstance(talk.hear({"method": "subscribe", "success": True, "req_id": 1}), Connected)
    for number in (1, 3, None, "2"):
        with pytest.raises(Broken, match="subscription refused: EGeneral:Permission denied"):
            talk.hear(refusal(number))


class Drawn(LiveStreet):
    """Cash is taken away between two bars, and brought back; nobody looks by himself after the start."""

    async def _before_bar(self, number: int) -> None:
        amount = {5: Decimal(-5000), 20: Decimal(5000)}.get(number)
        if amount is not None:
            exchange = self.simulator.exchange
            exchange.move(exchange.accounts[KEY], "USD", amount)
            async with asyncio.timeout(10):
                while (("BREAKER", "drift:USD") in self.ledger.holds) != (amount < 0):
                    await asyncio.sleep(0.01)


@pytest.mark.parametrize("wire", [KRAKEN, KRAKEN_SOCKET], ids=["rest", "socket"])
async def test_a_withdrawal_is_the_same_hold_at_once_and_a_deposit_lifts_it(wire: Wire) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    params = eager_params(with_limits=False)
    street = Drawn(simulator, params, BARS, wire, rhythm=Rhythm(look=NEVER, confirm=0.02))
    try:
        await asyncio.wait_for(street.run(), 60)
    finally:
        await simulator.stop()

    assert street.ledger.holds == set()
    (words,) = {told["words"] for key, told in street.sink.latest.items() if "alert" in key}
    assert words == "USD: our books need 10000, the account has 5000"
    check_books(simulator, street)
    assert simulator.exchange.accounts[KEY].balances["BTC"] >= FUNDS["BTC"]
