"""Orders, fills, positions, trades and postings as tables: for pages, the API and files alike."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import (
    DateTimeField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)

from tenants.models import ExchangeAccount
from trading.core import explain
from trading.core.codes import ExitReason, Liquidity, Purpose, Stage
from trading.models import Decision, Fill, LedgerEntry, OrderIntent, Position

ROWS_AT_ONCE = 1000
WHY = ("strategy", "regime", "score")


class NoSuchTable(Exception):
    """There is no table of this name; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: of one account, and of a stretch of market time (from, to)."""

    account_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns, and how its rows are found and told, newest first."""

    name: str
    title: str
    columns: tuple[str, ...]
    account: str
    time: str
    find: Callable[[], QuerySet[Any, tuple[Any, ...]]]
    tell: Callable[[Sequence[Any]], Sequence[Any]]

    @property
    def headings(self) -> list[str]:
        """The columns in words."""
        words = (name.removesuffix("_at").replace("_", " ") for name in self.columns)
        return [word[0].upper() + word[1:] for word in words]

    def _select(self, wanted: Wanted) -> QuerySet[Any, tuple[Any, ...]]:
        bounds = {
            self.account: wanted.account_id,
            f"{self.time}__gte": wanted.since,
            f"{self.time}__lt": wanted.until,
        }
        given = {name: value for name, value in bounds.items() if value is not None}
        return self.find().filter(**given).order_by(f"-{self.time}", "-id")

    def rows(self, wanted: Wanted) -> Iterator[Sequence[Any]]:
        """Every row, in constant memory; while the tenant's scope is open."""
        return map(self.tell, self._select(wanted).iterator(chunk_size=ROWS_AT_ONCE))

    def page(self, wanted: Wanted, *, first: int, count: int) -> list[Sequence[Any]]:
        """Some rows."""
        return [self.tell(row) for row in self._select(wanted)[first : first + count]]


def get_table(name: str) -> Table:
    """A table by its name.

    Raises:
        NoSuchTable: there is none.
    """
    if name not in TABLES:
        raise NoSuchTable(f"there is no table {name!r}; there are {', '.join(TABLES)}")
    return TABLES[name]


def list_accounts() -> list[ExchangeAccount]:
    """The workspace's accounts, for choosing one."""
    return list(ExchangeAccount.objects.order_by("label", "id"))


def _entry_record(*, bot: str, instrument: str, planned_at: str) -> Subquery:
    """The record of the decision an entry came from: that of the bar which closed as it was planned."""
    bar = OuterRef(planned_at) - F("revision__timeframe_seconds") * Value(timedelta(seconds=1))
    decided = Decision.objects.filter(
        revision__bot=OuterRef(bot),
        instrument=OuterRef(instrument),
        stage=Stage.ENTRY,
        bar_opened_at=ExpressionWrapper(bar, output_field=DateTimeField()),
    )
    return Subquery(decided.order_by("-id").values("record")[:1])


def _why(record: memoryview | None) -> tuple[Any, Any, Any]:
    """Strategy, regime and score; nothing where no decision is on record, or of another core."""
    if record is None or not explain.is_record(bytes(record)):
        return None, None, None
    told = explain.describe(explain.read(bytes(record)))
    return told["strategy"], told["regime"], told["score"]


def _orders() -> QuerySet[Any, tuple[Any, ...]]:
    record = _entry_record(bot="bot", instrument="instrument", planned_at="planned_at")
    return OrderIntent.objects.annotate(record=record).values_list(
        "planned_at", "engine__account__label", "bot__name", "instrument__symbol", "purpose",
        "side", "quantity", "limit_price", "stop_price", "state", "state_reason", "exit_reason",
        "client_order_id", "orders__venue_order_id", "orders__status", "orders__filled_quantity",
        "record",
    )  # fmt: skip


def _tell_order(row: Sequence[Any]) -> Sequence[Any]:
    is_entry = row[4] == Purpose.ENTRY
    return (
        *row[:4], _words(Purpose, row[4]), *row[5:11], _exit(row[11]), *row[12:16],
        *(_why(row[16]) if is_entry else _why(None)),
    )  # fmt: skip


def _fills() -> QuerySet[Any, tuple[Any, ...]]:
    intent = "order__intent"
    record = _entry_record(
        bot=f"{intent}__bot", instrument=f"{intent}__instrument", planned_at=f"{intent}__planned_at"
    )
    return Fill.objects.annotate(record=record).values_list(
        "filled_at", "account__label", f"{intent}__bot__name", f"{intent}__instrument__symbol",
        f"{intent}__purpose", "side", "quantity", "price", "fee", "fee_currency", "liquidity",
        f"{intent}__exit_reason", "venue_trade_id", "order__venue_order_id",
        f"{intent}__client_order_id", "record",
    )  # fmt: skip


def _tell_fill(row: Sequence[Any]) -> Sequence[Any]:
    is_entry = row[4] == Purpose.ENTRY
    return (
        *row[:4], _words(Purpose, row[4]), *row[5:10], _words(Liquidity, row[10]), _exit(row[11]),
        *row[12:15], *(_why(row[15]) if is_entry else _why(None)),
    )  # fmt: skip


def _positions() -> QuerySet[Any, tuple[Any, ...]]:
    return _with_entry(Position.objects.all()).values_list(
        "opened_at", "closed_at", "bot__account__label", "bot__name", "instrument__symbol", "side",
        "quantity", "entry_price", "stop_price", "exit_price", "exit_reason", "fees",
        "realized_pnl", "record",
    )  # fmt: skip


def _tell_position(row: Sequence[Any]) -> Sequence[Any]:
    return (*row[:10], _exit(row[10]), *row[11:13], *_why(row[13]))


def _trades() -> QuerySet[Any, tuple[Any, ...]]:
    """Round trips: positions that ended flat, with what was traded of them."""
    traded = (
        _fills_of_position(filled_at__gte=OuterRef("opened_at"))
        # An entry at the moment of the close is already the next trade's.
        .filter(Q(filled_at__lt=OuterRef("closed_at")) | Q(filled_at=OuterRef("opened_at")))
        .filter(order__intent__purpose=Purpose.ENTRY)
        .values("account")
    )
    closed = _with_entry(Position.objects.exclude(closed_at=None)).annotate(
        traded=Subquery(traded.annotate(total=Sum("quantity")).values("total"))
    )
    return closed.values_list(
        "opened_at", "closed_at", "bot__account__label", "bot__name", "instrument__symbol", "side",
        "traded", "entry_price", "exit_price", "exit_reason", "fees", "realized_pnl",
        "instrument__quote", "record",
    )  # fmt: skip


def _tell_trade(row: Sequence[Any]) -> Sequence[Any]:
    return (*row[:9], _exit(row[9]), *row[10:13], *_why(row[13]))


def _fills_of_position(**bounds: Any) -> QuerySet[Any, Any]:
    return Fill.objects.filter(
        account=OuterRef("bot__account"),
        order__intent__bot=OuterRef("bot"),
        order__intent__instrument=OuterRef("instrument"),
        **bounds,
    ).order_by()


def _with_entry(positions: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """With the record of the decision that opened it."""
    first = _fills_of_position(
        filled_at=OuterRef("opened_at"), order__intent__purpose=Purpose.ENTRY
    )
    planned = Subquery(first.order_by("id").values("order__intent__planned_at")[:1])
    record = _entry_record(bot="bot", instrument="instrument", planned_at="planned_at")
    return positions.annotate(planned_at=planned).annotate(record=record)


def _postings() -> QuerySet[Any, tuple[Any, ...]]:
    return LedgerEntry.objects.values_list(
        "booked_at", "account__label", "posting", "book", "currency", "amount",
        "fill__venue_trade_id",
    )  # fmt: skip


def _words(codes: Any, value: int) -> str:
    return str(codes(value).name.lower().replace("_", " "))


def _exit(value: int) -> str:
    return _words(ExitReason, value) if value else ""


TABLES = {
    table.name: table
    for table in (
        Table(
            "orders", "Orders",
            ("planned_at", "account", "bot", "pair", "purpose", "side", "quantity", "limit_price",
             "stop_price", "state", "state_reason", "exit_reason", "client_order_id",
             "venue_order_id", "venue_status", "filled_quantity", *WHY),
            "engine__account", "planned_at", _orders, _tell_order,
        ),
        Table(
            "fills", "Fills",
            ("filled_at", "account", "bot", "pair", "purpose", "side", "quantity", "price", "fee",
             "fee_currency", "liquidity", "exit_reason", "venue_trade_id", "venue_order_id",
             "client_order_id", *WHY),
            "account", "filled_at", _fills, _tell_fill,
        ),
        Table(
            "positions", "Positions",
            ("opened_at", "closed_at", "account", "bot", "pair", "side", "quantity", "entry_price",
             "stop_price", "exit_price", "exit_reason", "fees", "realized_pnl", *WHY),
            "bot__account", "opened_at", _positions, _tell_position,
        ),
        Table(
            "trades", "Trades",
            ("opened_at", "closed_at", "account", "bot", "pair", "side", "quantity", "entry_price",
             "last_exit_price", "exit_reason", "fees", "net_pnl", "currency", *WHY),
            "bot__account", "closed_at", _trades, _tell_trade,
        ),
        Table(
            "postings", "Postings",
            ("booked_at", "account", "posting", "book", "currency", "amount", "venue_trade_id"),
            "account", "booked_at", _postings, tuple,
        ),
    )
}  # fmt: skip
