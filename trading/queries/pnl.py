"""Profit and loss by account, bot and instrument: booked, and as prices stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.db.models import Sum

from trading.core import explain
from trading.models import Decision, Instrument, Position

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Earned:
    """What one bot earned on one instrument, in the instrument's quote currency.

    ``realized`` is net of every fee paid, those of open positions' entries included;
    ``unrealized`` is None where a position is open and no price is on record.
    """

    account_id: UUID
    account: str
    bot: str
    instrument: str
    currency: str
    realized: Decimal
    fees: Decimal
    unrealized: Decimal | None

    @property
    def total(self) -> Decimal | None:
        """Booked and open together."""
        return None if self.unrealized is None else self.realized + self.unrealized


@dataclass(frozen=True, slots=True)
class AccountEarned:
    """One account in one currency, with what it consists of."""

    account: str
    currency: str
    realized: Decimal
    fees: Decimal
    unrealized: Decimal | None
    parts: Sequence[Earned]

    @property
    def total(self) -> Decimal | None:
        """Booked and open together."""
        return None if self.unrealized is None else self.realized + self.unrealized


def profit_and_loss(*, account_id: UUID | None) -> list[AccountEarned]:
    """Of one account, or of all: one line per account and currency; nothing is converted."""
    positions = Position.objects.all()
    if account_id is not None:
        positions = positions.filter(bot__account=account_id)
    booked = (
        positions.values(
            "bot__account", "bot__account__label", "bot", "bot__name", "instrument",
            "instrument__symbol", "instrument__quote",
        )
        .annotate(realized=Sum("realized_pnl"), paid=Sum("fees"))
        .order_by("bot__account__label", "bot__account", "instrument__quote", "bot__name",
                  "instrument__symbol", "bot", "instrument")
    )  # fmt: skip
    open_now = _unrealized(positions.filter(closed_at=None))
    parts = [
        Earned(
            account_id=row["bot__account"],
            account=row["bot__account__label"],
            bot=row["bot__name"],
            instrument=row["instrument__symbol"],
            currency=row["instrument__quote"],
            realized=row["realized"],
            fees=row["paid"],
            unrealized=open_now.get((row["bot"], row["instrument"]), ZERO),
        )
        for row in booked
    ]
    by_account = attrgetter("account_id", "currency")
    return [_account(list(group)) for _, group in groupby(parts, key=by_account)]


def _account(parts: list[Earned]) -> AccountEarned:
    return AccountEarned(
        account=parts[0].account,
        currency=parts[0].currency,
        realized=sum((one.realized for one in parts), ZERO),
        fees=sum((one.fees for one in parts), ZERO),
        unrealized=_sum(one.unrealized for one in parts),
        parts=parts,
    )


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; unknown where a part is."""
    total = ZERO
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _unrealized(positions: Iterable[Position]) -> dict[tuple[UUID, int], Decimal | None]:
    found: dict[tuple[UUID, int], Decimal | None] = {}
    for position in positions.select_related("instrument"):  # type: ignore[attr-defined]
        price = last_price(bot_id=position.bot_id, instrument=position.instrument)
        sign = 1 if position.side == Position.Side.LONG else -1
        gained = None
        if price is not None:
            gained = (price - position.entry_price) * position.quantity * sign
        found[position.bot_id, position.instrument_id] = gained
    return found


def last_price(*, bot_id: UUID, instrument: Instrument) -> Decimal | None:
    """The close of the bar a bot last decided on, on the instrument's grid."""
    record = (
        Decision.objects.filter(revision__bot=bot_id, instrument=instrument)
        .order_by("-bar_opened_at", "-id")
        .values_list("record", flat=True)
        .first()
    )
    if record is None or not explain.is_record(bytes(record)):
        return None
    close = float(explain.read(bytes(record)).decision["close"])
    return instrument.tick_size * round(close / float(instrument.tick_size))
