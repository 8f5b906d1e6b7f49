"""What the simulated venue writes down of a change: what there was to know after it."""

from decimal import Decimal
from typing import Any

import msgspec

from trading.exchanges.simulator.accounts import Account, Counter, Fill, Order, Tariff
from trading.exchanges.simulator.coinbase_tickets import Terms, Ticket
from trading.exchanges.simulator.ledger import Line


class Opened(msgspec.Struct, frozen=True):
    """An account as it never changes."""

    key: str
    secret: str
    public_key: str
    venue: str
    rights: tuple[str, ...]
    tariff: Tariff
    opened_ns: int

    @classmethod
    def of(cls, account: Account) -> "Opened":
        names = cls.__struct_fields__
        return cls(**{name: getattr(account, name) for name in names})

    def make(self) -> Account:
        """The account as it was when it was opened, without its money."""
        return Account(self.key, self.secret, {}, self.rights, self.venue, self.tariff,
                       self.opened_ns, public_key=self.public_key)  # fmt: skip


class Standing(msgspec.Struct, frozen=True):
    """What an account has, and what it may still ask."""

    key: str
    balances: dict[str, Decimal]
    nonce: int
    calls: Counter
    engine: dict[str, Counter]
    dead_man_ns: int
    unlisted_until_ns: int
    further_keys: dict[str, str]
    tokens: dict[str, int]
    fee_in: str = ""

    @classmethod
    def of(cls, account: Account, *, now_ns: int) -> "Standing":
        """Copies: the account goes on. Tokens that are over are left out."""
        return cls(
            key=account.key,
            balances=dict(account.balances),
            nonce=account.nonce,
            calls=_copy(account.calls),
            engine={symbol: _copy(counter) for symbol, counter in account.engine.items()},
            dead_man_ns=account.dead_man_ns,
            unlisted_until_ns=account.unlisted_until_ns,
            further_keys=dict(account.further_keys),
            tokens={token: until for token, until in account.tokens.items() if until >= now_ns},
            fee_in=account.fee_in,
        )

    def give(self, account: Account) -> None:
        """Let an account stand so."""
        for name in self.__struct_fields__[1:]:
            setattr(account, name, getattr(self, name))


class Slip(msgspec.Struct, frozen=True):
    """What Coinbase keeps beside an order."""

    key: str
    order_id: str
    number: int
    configuration: dict[str, dict[str, Any]]
    quote_size: Decimal | None
    queued: str
    wanted: Terms | None
    edits: list[dict[str, Any]]

    @classmethod
    def of(cls, ticket: Ticket) -> "Slip":
        return cls(ticket.account.key, ticket.order.order_id, ticket.number, ticket.configuration,
                   ticket.quote_size, ticket.queued, ticket.wanted, ticket.edits)  # fmt: skip

    def make(self, account: Account) -> Ticket:
        """The ticket of an order that its account has already."""
        order = account.orders[self.order_id]
        return Ticket(order, account, self.number, self.configuration, self.quote_size,
                      self.queued, self.wanted, self.edits)  # fmt: skip


class Change(msgspec.Struct, omit_defaults=True):
    """One act, whole: what was opened, stands, works, was traded and was logged since the last one."""

    at_ns: int
    seen_ns: int  # up to here the market has met the orders
    number: int
    mode: str
    statuses: dict[str, str] = {}
    taken: dict[str, list[tuple[Decimal, Decimal]]] = {}  # of the books, by symbol
    opened: list[Opened] = []
    standings: list[Standing] = []
    orders: list[tuple[str, Order]] = []  # by account's key, without their fills
    fills: list[tuple[str, str, Fill]] = []  # by account's key and order
    lines: list[tuple[str, Line]] = []
    slips: list[Slip] = []
    events: list[dict[str, Any]] = []


def _copy(counter: Counter) -> Counter:
    return Counter(counter.most, counter.decay, counter.level, counter.at_ns)
