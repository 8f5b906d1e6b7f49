"""The venue's own ledger: a line for every amount that moved, with the balance it left."""

from dataclasses import dataclass
from decimal import Decimal

DEPOSIT, WITHDRAWAL, TRADE = "deposit", "withdrawal", "trade"


@dataclass(frozen=True, slots=True)
class Line:
    """One amount of one asset; the fee is taken from the same asset beside it."""

    ledger_id: str
    reference: str  # the trade, or the transfer
    time_ns: int
    kind: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
