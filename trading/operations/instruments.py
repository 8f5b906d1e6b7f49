"""The pairs of invented markets: those of the synthetic one and of the venue simulator."""

from collections.abc import Mapping
from decimal import Decimal

from tenants.models import ExchangeAccount
from trading.exchanges.synthetic import CATALOGUE
from trading.models import Instrument

Venue = ExchangeAccount.Venue
QUOTE = "USD"
SIMULATED = ("BTC", "ETH", "SOL")  # what run_simulator lists by itself
BASES: Mapping[str, tuple[str, ...]] = {
    Venue.SYNTHETIC: tuple(CATALOGUE),
    Venue.SIMULATOR: SIMULATED,
    Venue.SIMULATOR_COINBASE: SIMULATED,
}
LOT, LEAST_QUANTITY, LEAST_COST = Decimal("0.00000001"), Decimal("0.0001"), Decimal(5)


def is_invented(venue: str) -> bool:
    """Whether its market never was."""
    return venue in BASES


def ensure_invented_pairs(*, venue: str) -> None:
    """Make the pairs of an invented market that nobody asked for before; no other venue's."""
    for base in BASES.get(venue, ()):
        ensure_invented_pair(venue=venue, base=base)


def ensure_invented_pair(*, venue: str, base: str) -> Instrument:
    """One of them, on the grid the market keeps."""
    _, decimals, _ = CATALOGUE[base]
    instrument, _ = Instrument.objects.get_or_create(
        venue=venue,
        symbol=f"{base}/{QUOTE}",
        defaults={
            "base": base,
            "quote": QUOTE,
            "tick_size": Decimal(1).scaleb(-decimals),
            "lot_size": LOT,
            "min_quantity": LEAST_QUANTITY,
            "min_notional": LEAST_COST,
        },
    )
    return instrument
