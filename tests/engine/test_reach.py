"""The reach of a bot's limits is what the core itself can size at most, and a shortage says by how much."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.fakes import MINUTE_NS, Street, random_bars
from trading.chaos.temper import eager_params
from trading.core.codes import Purpose
from trading.core.config.pipeline import PipelineParams
from trading.engine.reach import Least, find_shortage, reach_of

CAPITAL = Decimal(10_000)
PARAMS = eager_params(with_limits=False)


def limited(position: float, exposure: float, risk: float, stop: float) -> PipelineParams:
    sizing = replace(
        PARAMS.sizing, max_position=position, max_exposure=exposure, risk_per_trade=risk
    )
    return replace(PARAMS, sizing=sizing, risk=replace(PARAMS.risk, min_stop=stop))


def least(notional: str = "5", *, quantity: str = "0.0001", price: str = "0") -> Least:
    return Least("Kraken", "BTC/USD", Decimal(quantity), Decimal(notional), Decimal(price))


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 50),
    position=st.floats(0.01, 1),
    exposure=st.floats(0.01, 1),
    risk=st.floats(0.0005, 0.1),
    stop=st.floats(0.0001, 0.1),
)
async def test_no_entry_of_the_core_is_beyond_the_reach(
    seed: int, position: float, exposure: float, risk: float, stop: float
) -> None:
    params = limited(position, exposure, risk, stop)
    bars = random_bars(seed, 120)
    street = Street([bars], params)

    await street.runner.run()

    share, spec = reach_of(params).share, street.specs[0]
    closes = {int(bar["open_ns"]) + MINUTE_NS: Decimal(repr(float(bar["close"]))) for bar in bars}
    first = [o for o, _ in street.ledger.intents.values() if o.purpose == Purpose.ENTRY][:1]
    for order in first:  # with the capital it began with
        notional = order.quantity_lots * spec.lot_size * closes[order.at_ns]
        assert notional <= CAPITAL * share * Decimal("1.000001")


def test_each_limit_can_be_the_tightest() -> None:
    found = [
        reach_of(limited(*values)).limit
        for values in (
            (0.1, 1, 0.1, 0.001),
            (1, 0.1, 0.1, 0.001),
            (1, 1, 0.0005, 0.1),
            (1, 1, 0.1, 0.0001),
        )
    ]

    assert found == [
        "sizing.max_position",
        "sizing.max_exposure",
        "sizing.risk_per_trade",
        "its cash",
    ]


@given(capital=st.decimals(0, 10**6, places=2), notional=st.decimals(1, 10**5, places=2))
def test_the_capital_that_is_asked_for_is_enough_and_a_cent_less_is_not(
    capital: Decimal, notional: Decimal
) -> None:
    reach = reach_of(limited(0.35, 1, 0.1, 0.001))
    wanted = least(str(notional))
    told = find_shortage(reach=reach, least=wanted, bot="Bot", capital=capital, quote="USD")
    if not told:
        assert capital * reach.share >= notional
        return

    asked = Decimal(told.split("a capital of at least ")[1].split()[0])

    def again(much: Decimal) -> str:
        return find_shortage(reach=reach, least=wanted, bot="Bot", capital=much, quote="USD")

    assert again(asked) == ""
    assert again(asked - Decimal("0.01")) != ""


def test_the_least_quantity_counts_at_the_last_price_and_not_without_one() -> None:
    reach, capital = reach_of(limited(0.1, 1, 0.1, 0.001)), Decimal(100)
    few = {"reach": reach, "bot": "Bot", "capital": capital, "quote": "USD"}

    dear = find_shortage(least=least("5", quantity="0.001", price="50000"), **few)

    assert "no order below 50.00 USD (0.001 of it), 40.00 more" in dear
    assert find_shortage(least=least("5", quantity="0.001"), **few) == ""
