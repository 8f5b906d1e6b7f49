"""Orders, fills, positions, trades and postings as tables: for pages, the API and files alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from tenants.models import ExchangeAccount
from trading.core.codes import ExitReason, Liquidity, Purpose
from trading.models import Fill, LedgerEntry, OrderIntent, Position
from trading.queries.dust import dust_words
from trading.queries.entries import entry_record, why_entered
from trading.queries.places import Place, older_than

ROWS_AT_ONCE = 1000
WHY = ("strategy", "regime", "score")
INTENT = "order__intent"


class NoSuchTable(Exception):
    """There is no table of this name; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: of an account, a bot, a pair, and of a stretch of market time (from, to)."""

    account_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    bot_id: UUID | None = None
    pair: str | None = None
    is_open: bool | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its place in the list and whose it is."""

    place: Place
    account_id: UUID
    bot_id: UUID
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns, and how its rows are found and told, newest first.

    ``paths`` leads from a row to what can be wanted of it; ``key`` tells rows of one time apart.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    fields: tuple[str, ...]
    paths: Mapping[str, str]
    time: str
    find: Callable[[], QuerySet[Any, Any]]
    tell: Callable[[Sequence[Any]], Sequence[Any]]
    key: str = "id"

    @property
    def headings(self) -> list[str]:
        """The columns in words."""
        plain = (name.removesuffix("_at").replace("_", " ") for name in self.columns)
        words = (name.replace("pnl", "P&L") for name in plain)
        return [word[0].upper() + word[1:] for word in words]

    def _select(self, wanted: Wanted) -> QuerySet[Any, Any]:
        asked = {path: getattr(wanted, name) for name, path in self.paths.items()}
        asked |= {f"{self.time}__gte": wanted.since, f"{self.time}__lt": wanted.until}
        given = {name: value for name, value in asked.items() if value is not None}
        return self.find().filter(**given).order_by(f"-{self.time}", f"-{self.key}")

    def rows(self, wanted: Wanted) -> Iterator[Sequence[Any]]:
        """Every row, in constant memory; while the tenant's scope is open."""
        found = self._select(wanted).values_list(*self.fields).iterator(chunk_size=ROWS_AT_ONCE)
        return map(self.tell, found)

    def page(self, wanted: Wanted, *, first: int, count: int) -> list[Sequence[Any]]:
        """Some rows."""
        found = self._whole(self._select(wanted)[first : first + count])
        return [self.tell(row) for row in found.values_list(*self.fields)]

    def list_rows(self, wanted: Wanted, *, before: Place | None, most: int) -> list[Row]:
        """Rows after a place in the list."""
        found = older_than(self._select(wanted), before, time=self.time, key=self.key)
        whose = (self.key, self.paths["account_id"], self.paths["bot_id"])
        return [self._row(r) for r in self._whole(found[:most]).values_list(*whose, *self.fields)]

    def _whole(self, some: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        # Decisions are looked up for these rows alone: PostgreSQL would for all before it sorts.
        found = list(some.values_list("pk", self.key))
        keys = {"pk__in": [pk for pk, _ in found], f"{self.key}__in": [key for _, key in found]}
        return self.find().filter(**keys).order_by(f"-{self.time}", f"-{self.key}")

    def _row(self, row: Sequence[Any]) -> Row:
        key, account_id, bot_id, *values = row
        place = Place(values[self.fields.index(self.time)], key)
        told = dict(zip(self.columns, self.tell(values), strict=True))
        return Row(place, account_id, bot_id, told)


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


def _orders() -> QuerySet[Any, Any]:
    """An intent with each order the venue made of it; alone where it made none."""
    record = entry_record(bot="bot", instrument="instrument", planned_at="planned_at")
    return OrderIntent.objects.annotate(record=record, row=Coalesce("orders__id", "id"))


def _tell_order(row: Sequence[Any]) -> Sequence[Any]:
    is_entry = row[4] == Purpose.ENTRY
    return (
        *row[:4], _words(Purpose, row[4]), *row[5:11], _exit(row[11]), *row[12:16],
        *(why_entered(row[16]) if is_entry else why_entered(None)),
    )  # fmt: skip


def _fills() -> QuerySet[Any, Any]:
    record = entry_record(
        bot=f"{INTENT}__bot", instrument=f"{INTENT}__instrument", planned_at=f"{INTENT}__planned_at"
    )
    return Fill.objects.annotate(record=record)


def _tell_fill(row: Sequence[Any]) -> Sequence[Any]:
    is_entry = row[4] == Purpose.ENTRY
    return (
        *row[:4], _words(Purpose, row[4]), *row[5:10], _words(Liquidity, row[10]), _exit(row[11]),
        *row[12:15], *(why_entered(row[15]) if is_entry else why_entered(None)),
    )  # fmt: skip


def _positions() -> QuerySet[Any, Any]:
    return with_entry(Position.objects.all())


def _tell_position(row: Sequence[Any]) -> Sequence[Any]:
    return (*row[:10], _exit(row[10]), *row[11:15], *why_entered(row[15]))


def _trades() -> QuerySet[Any, Any]:
    """Round trips: positions that ended flat, with what was traded of them."""
    traded = (
        _fills_of_position(filled_at__gte=OuterRef("opened_at"))
        # An entry at the moment of the close is already the next trade's.
        .filter(Q(filled_at__lt=OuterRef("closed_at")) | Q(filled_at=OuterRef("opened_at")))
        .filter(order__intent__purpose=Purpose.ENTRY)
        .values("account")
    )
    return with_entry(Position.objects.exclude(closed_at=None)).annotate(
        traded=Subquery(traded.annotate(total=Sum("quantity")).values("total"))
    )


def _tell_trade(row: Sequence[Any]) -> Sequence[Any]:
    return (
        *row[:9], _exit(row[9]), *row[10:15], dust_words(row[13], row[15], row[14], row[12]),
        *why_entered(row[16]),
    )  # fmt: skip


def _fills_of_position(**bounds: Any) -> QuerySet[Any, Any]:
    return Fill.objects.filter(
        account=OuterRef("bot__account"),
        order__intent__bot=OuterRef("bot"),
        order__intent__instrument=OuterRef("instrument"),
        **bounds,
    ).order_by()


def with_entry(positions: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """With the record of the decision that opened it."""
    first = _fills_of_position(
        filled_at=OuterRef("opened_at"), order__intent__purpose=Purpose.ENTRY
    )
    planned = Subquery(first.order_by("id").values("order__intent__planned_at")[:1])
    record = entry_record(bot="bot", instrument="instrument", planned_at="planned_at")
    return positions.annotate(planned_at=planned).annotate(record=record)


def _postings() -> QuerySet[Any, Any]:
    return LedgerEntry.objects.all()


def _words(codes: Any, value: int) -> str:
    return str(codes(value).name.lower().replace("_", " "))


def _exit(value: int) -> str:
    return _words(ExitReason, value) if value else ""


def _paths(account: str, bot: str, pair: str) -> dict[str, str]:
    return {"account_id": account, "bot_id": bot, "pair": pair}


TABLES = {
    table.name: table
    for table in (
        Table(
            "orders", "Orders",
            ("planned_at", "account", "bot", "pair", "purpose", "side", "quantity", "limit_price",
             "stop_price", "state", "state_reason", "exit_reason", "client_order_id",
             "venue_order_id", "venue_status", "filled_quantity", *WHY),
            ("planned_at", "engine__account__label", "bot__name", "instrument__symbol", "purpose",
             "side", "quantity", "limit_price", "stop_price", "state", "state_reason",
             "exit_reason", "client_order_id", "orders__venue_order_id", "orders__status",
             "orders__filled_quantity", "record"),
            _paths("engine__account", "bot", "instrument__symbol"),
            "planned_at", _orders, _tell_order, "row",
        ),
        Table(
            "fills", "Fills",
            ("filled_at", "account", "bot", "pair", "purpose", "side", "quantity", "price", "fee",
             "fee_currency", "liquidity", "exit_reason", "venue_trade_id", "venue_order_id",
             "client_order_id", *WHY),
            ("filled_at", "account__label", f"{INTENT}__bot__name",
             f"{INTENT}__instrument__symbol", f"{INTENT}__purpose", "side", "quantity", "price",
             "fee", "fee_currency", "liquidity", f"{INTENT}__exit_reason", "venue_trade_id",
             "order__venue_order_id", f"{INTENT}__client_order_id", "record"),
            _paths("account", f"{INTENT}__bot", f"{INTENT}__instrument__symbol"),
            "filled_at", _fills, _tell_fill,
        ),
        Table(
            "positions", "Positions",
            ("opened_at", "closed_at", "account", "bot", "pair", "side", "quantity", "entry_price",
             "stop_price", "exit_price", "exit_reason", "fees", "realized_pnl", "dust_quantity",
             "dust_cost", *WHY),
            ("opened_at", "closed_at", "bot__account__label", "bot__name", "instrument__symbol",
             "side", "quantity", "entry_price", "stop_price", "exit_price", "exit_reason", "fees",
             "realized_pnl", "dust_quantity", "dust_cost", "record"),
            {**_paths("bot__account", "bot", "instrument__symbol"),
             "is_open": "closed_at__isnull"},
            "opened_at", _positions, _tell_position,
        ),
        Table(
            "trades", "Trades",
            ("opened_at", "closed_at", "account", "bot", "pair", "side", "quantity", "entry_price",
             "last_exit_price", "exit_reason", "fees", "net_pnl", "currency", "dust_quantity",
             "dust_cost", "note", *WHY),
            ("opened_at", "closed_at", "bot__account__label", "bot__name", "instrument__symbol",
             "side", "traded", "entry_price", "exit_price", "exit_reason", "fees", "realized_pnl",
             "instrument__quote", "dust_quantity", "dust_cost", "instrument__base", "record"),
            _paths("bot__account", "bot", "instrument__symbol"),
            "closed_at", _trades, _tell_trade,
        ),
        Table(
            "postings", "Postings",
            ("booked_at", "account", "posting", "book", "currency", "amount", "venue_trade_id"),
            ("booked_at", "account__label", "posting", "book", "currency", "amount",
             "fill__venue_trade_id"),
            _paths("account", f"fill__{INTENT}__bot", f"fill__{INTENT}__instrument__symbol"),
            "booked_at", _postings, tuple,
        ),
    )
}  # fmt: skip
