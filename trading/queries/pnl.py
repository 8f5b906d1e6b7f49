"""Profit and loss by account, bot and instrument: booked, and as prices stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum

from trading.core import explain
from trading.models import Decision, Instrument, Position
from trading.queries.chapters import Which, positions_of

ZERO = Decimal(0)
Market = tuple[UUID, int]  # a bot's, by the instrument


@dataclass(frozen=True, slots=True)
class Earned:
    """What one bot earned on one instrument, in the instrument's quote currency.

    ``realized`` is net of every fee paid, those of open positions' entries included, and of what dust
    cost that was written off, which ``dust`` tells;
    ``unrealized`` is None where a position is open and no price is on record.
    """

    account_id: UUID
    account: str
    bot_id: UUID
    bot: str
    instrument: str
    currency: str
    realized: Decimal
    fees: Decimal
    dust: Decimal
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
    dust: Decimal
    unrealized: Decimal | None
    parts: Sequence[Earned]

    @property
    def total(self) -> Decimal | None:
        """Booked and open together."""
        return None if self.unrealized is None else self.realized + self.unrealized


def profit_and_loss(*, account_id: UUID | None, chapter: Which = None) -> list[AccountEarned]:
    """Of one account's chapter, of all current ones, or of all: a line per account and currency.

    Nothing is converted.

    Raises:
        NoSuchChapter: the account has no such chapter.
    """
    positions = positions_of(account_id=account_id, chapter=chapter)
    booked = (
        positions.values(
            "bot__account", "bot__account__label", "bot", "bot__name", "instrument",
            "instrument__symbol", "instrument__quote",
        )
        .annotate(realized=Sum("realized_pnl"), paid=Sum("fees"), dust=Sum("dust_cost"))
        .order_by("bot__account__label", "bot__account", "instrument__quote", "bot__name",
                  "instrument__symbol", "bot", "instrument")
    )  # fmt: skip
    open_now = _unrealized(positions.filter(closed_at=None))
    parts = [
        Earned(
            account_id=row["bot__account"],
            account=row["bot__account__label"],
            bot_id=row["bot"],
            bot=row["bot__name"],
            instrument=row["instrument__symbol"],
            currency=row["instrument__quote"],
            realized=row["realized"],
            fees=row["paid"],
            dust=row["dust"],
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
        dust=sum((one.dust for one in parts), ZERO),
        unrealized=sum_known(one.unrealized for one in parts),
        parts=parts,
    )


def sum_known(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; unknown where a part is."""
    total = ZERO
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _unrealized(positions: QuerySet[Position]) -> dict[Market, Decimal | None]:
    held = list(positions.select_related("instrument").order_by("id"))
    prices = last_prices([(one.bot_id, one.instrument) for one in held])
    found: dict[Market, Decimal | None] = {}
    for position in held:
        market = (position.bot_id, position.instrument_id)
        sign = 1 if position.side == Position.Side.LONG else -1
        gained = None
        if market in prices:
            gained = (prices[market] - position.entry_price) * position.quantity * sign
        found[market] = gained
    return found


def last_prices(markets: Sequence[tuple[UUID, Instrument]]) -> dict[Market, Decimal]:
    """The close of the bar each bot last decided on, on the instrument's grid; unknown ones left out."""
    instruments = {instrument.id: instrument for _, instrument in markets}
    found: dict[Market, Decimal] = {}
    for bot_id, instrument_id, record in _newest_records(markets):
        if not explain.is_record(bytes(record)):
            continue
        tick = instruments[instrument_id].tick_size
        close = float(explain.read(bytes(record)).decision["close"])
        found[bot_id, instrument_id] = tick * round(close / float(tick))
    return found


def _newest_records(markets: Sequence[tuple[UUID, Instrument]]) -> Iterable[tuple[Any, ...]]:
    """(bot, instrument, record) of each market's newest decision, in one query."""
    newest = [
        Decision.objects.filter(revision__bot=bot_id, instrument=instrument)
        .order_by("-bar_opened_at", "-id")
        .values_list("revision__bot", "instrument", "record")[:1]
        for bot_id, instrument in markets
    ]
    return newest[0].union(*newest[1:], all=True) if newest else ()
