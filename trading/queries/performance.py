"""How each account and bot has done: closed trades counted, what was earned, and the deepest fall."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.db.models import QuerySet

from trading.models import Position
from trading.queries.chapters import Which, positions_of
from trading.queries.pnl import AccountEarned, Earned, profit_and_loss, sum_known

ZERO = Decimal(0)
ROWS_AT_ONCE = 1000


@dataclass(slots=True)
class Closed:
    """Closed trades, counted one by one in the order they closed."""

    trades: int = 0
    won: int = 0
    gained: Decimal = ZERO
    lost: Decimal = ZERO
    max_drawdown: Decimal = ZERO
    _highest: Decimal = field(default=ZERO, repr=False)

    def add(self, net: Decimal) -> None:
        """Count one trade by what it made, fees included."""
        self.trades += 1
        self.won += net > 0
        self.gained += max(net, ZERO)
        self.lost -= min(net, ZERO)
        booked = self.gained - self.lost
        self._highest = max(self._highest, booked)
        self.max_drawdown = max(self.max_drawdown, self._highest - booked)

    @property
    def win_rate(self) -> float | None:
        """Share of trades that made money; None without a trade."""
        return self.won / self.trades if self.trades else None

    @property
    def profit_factor(self) -> float | None:
        """Gained over lost; None while nothing was lost."""
        return float(self.gained / self.lost) if self.lost else None


@dataclass(frozen=True, slots=True)
class Result:
    """One bot, or a whole account, in one currency."""

    realized: Decimal
    fees: Decimal
    unrealized: Decimal | None
    closed: Closed

    @property
    def total(self) -> Decimal | None:
        """Booked and open together."""
        return None if self.unrealized is None else self.realized + self.unrealized


@dataclass(frozen=True, slots=True)
class BotResult(Result):
    """Of one bot."""

    bot_id: UUID
    bot: str


@dataclass(frozen=True, slots=True)
class AccountResult(Result):
    """Of one account, with its bots."""

    account_id: UUID
    account: str
    currency: str
    bots: Sequence[BotResult]


def list_performance(*, account_id: UUID | None, chapter: Which = None) -> list[AccountResult]:
    """Of one account's chapter, of all current ones, or of all: a line per account and currency.

    Nothing is converted.

    Raises:
        NoSuchChapter: the account has no such chapter.
    """
    earned = profit_and_loss(account_id=account_id, chapter=chapter)
    closed = _closed_trades(positions_of(account_id=account_id, chapter=chapter))
    return [_account(one, closed) for one in earned]


Of = tuple[UUID, str] | tuple[UUID, UUID, str]


def _closed_trades(positions: QuerySet[Position]) -> dict[Of, Closed]:
    """By account and currency, and by account, bot and currency; one walk over all trades."""
    rows = (
        positions.exclude(closed_at=None)
        .order_by("closed_at", "id")
        .values_list("bot__account", "bot", "instrument__quote", "realized_pnl")
    )
    found: dict[Of, Closed] = defaultdict(Closed)
    for account, bot, currency, net in rows.iterator(chunk_size=ROWS_AT_ONCE):
        found[account, currency].add(net)
        found[account, bot, currency].add(net)
    return found


def _account(earned: AccountEarned, closed: dict[Of, Closed]) -> AccountResult:
    account_id = earned.parts[0].account_id
    return AccountResult(
        realized=earned.realized,
        fees=earned.fees,
        unrealized=earned.unrealized,
        closed=closed.get((account_id, earned.currency), Closed()),
        account_id=account_id,
        account=earned.account,
        currency=earned.currency,
        bots=list(_bots(earned.parts, closed)),
    )


def _bots(parts: Iterable[Earned], closed: dict[Of, Closed]) -> Iterator[BotResult]:
    by_bot = sorted(parts, key=attrgetter("bot", "bot_id"))
    for bot_id, group in groupby(by_bot, key=attrgetter("bot_id")):
        own = list(group)
        first = own[0]
        yield BotResult(
            realized=sum((one.realized for one in own), ZERO),
            fees=sum((one.fees for one in own), ZERO),
            unrealized=sum_known(one.unrealized for one in own),
            closed=closed.get((first.account_id, bot_id, first.currency), Closed()),
            bot_id=bot_id,
            bot=first.bot,
        )
