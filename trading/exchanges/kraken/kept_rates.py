"""How far counters and nonces are, as the journal keeps it: for the next life, and to be shown."""

from collections.abc import Sequence

import msgspec

from trading.exchanges.kraken.call_rate import CallRate
from trading.exchanges.kraken.counters import ADD, DEAREST_AMEND, DEAREST_CANCEL, Counter
from trading.exchanges.kraken.sign import Nonces
from trading.exchanges.kraken.trading_rate import TradingRate

DEAREST = max(DEAREST_CANCEL + ADD, DEAREST_AMEND + ADD)  # of any one intent


class Level(msgspec.Struct, frozen=True):
    """One counter."""

    used: float
    most: float


class KeptRates(msgspec.Struct, frozen=True):
    """All of an engine's; pairs by symbol."""

    calls: Level
    pairs: dict[str, Level]
    nonce: int = 0


def write_rates(calls: CallRate, trading: TradingRate, nonces: Nonces) -> bytes:
    """As they are now."""
    pairs = {symbol: _level(counter) for symbol, counter in trading.pairs.items()}
    return msgspec.json.encode(KeptRates(_level(calls.counter), pairs, nonces.last))


def _level(counter: Counter) -> Level:
    return Level(round(counter.used, 3), counter.limit.most)


def read_rates(state: bytes) -> KeptRates | None:
    """What was kept; None where nothing of the kind was."""
    try:
        return msgspec.json.decode(state, type=KeptRates)
    except msgspec.DecodeError:
        return None


def take_over(state: bytes, calls: CallRate, trading: TradingRate, nonces: Nonces) -> None:
    """Go on from where another life was; nothing is taken off for the time in between."""
    kept = read_rates(state)
    if kept is None:
        return
    nonces.follow(kept.nonce)
    calls.counter.be_at_least(kept.calls.used)
    for symbol, level in kept.pairs.items():
        trading.hear(symbol, level.used)


def charge_unclear(markets: Sequence[int], trading: TradingRate) -> None:
    """What may have been sent there since it was kept, at its dearest."""
    for market in markets:
        counter = trading.pairs[trading.symbols[market]]
        counter.be_at_least(counter.used + DEAREST)
