"""The simulated Coinbase as one thing: its REST, its sockets, its customers and their keys."""

from collections.abc import Mapping
from decimal import Decimal

from aiohttp import web

from trading.exchanges.simulator.accounts import COINBASE, COINBASE_TARIFF, Account
from trading.exchanges.simulator.coinbase_account import ALL_RIGHTS, RIGHTS
from trading.exchanges.simulator.coinbase_desk import Desk
from trading.exchanges.simulator.coinbase_edits import Edits
from trading.exchanges.simulator.coinbase_jwt import (
    load_public_key,
    read_public_key,
    write_public_key,
)
from trading.exchanges.simulator.coinbase_rest import CoinbaseRest
from trading.exchanges.simulator.coinbase_sockets import CoinbaseSockets
from trading.exchanges.simulator.exchange import Exchange

QUEUED = ("cancel_queued", "edit_queued")


class UnknownRight(ValueError):
    """A right no key has; the text names those there are."""


class Coinbase:
    """A second wire over the same markets; its customers' purses are their own."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.rest = CoinbaseRest(Desk(exchange))
        self.sockets = CoinbaseSockets(self.rest)

    def add_routes(self, app: web.Application) -> None:
        """Its addresses."""
        self.rest.add_routes(app)
        self.sockets.add_routes(app)

    def add_account(
        self,
        *,
        key: str,
        secret: str,
        balances: Mapping[str, Decimal],
        rights: tuple[str, ...] = RIGHTS,
    ) -> Account:
        """A customer with money; of the secret only the public half is kept.

        Raises:
            InvalidKey: the secret is none. UnknownRight: a right is none.
        """
        for right in rights:
            if right not in ALL_RIGHTS:
                raise UnknownRight(f"right {right!r}: accepted is {', '.join(ALL_RIGHTS)}")
        public_key = read_public_key(secret)
        account = Account(key, "", dict(balances), rights, COINBASE, COINBASE_TARIFF)
        account.opened_ns = self._exchange.clock.now_ns()
        account.public_key = write_public_key(public_key)
        self.rest.keys[key] = public_key
        self._exchange.accounts[key] = account
        return account

    def resume(self) -> None:
        """Go on with what is known of customers: their keys, and what was accepted and not yet done."""
        for account in self._exchange.accounts.values():
            if account.public_key:
                self.rest.keys[account.key] = load_public_key(account.public_key)
        desk, edits = self.rest.desk, Edits(self.rest.desk)
        log = enumerate(self._exchange.oracle)
        turns = {event["order_id"]: turn for turn, event in log if event["kind"] in QUEUED}
        for order_id in sorted(turns, key=lambda order_id: turns[order_id]):
            ticket = desk.tickets[order_id]
            if ticket.status == "CANCEL_QUEUED":
                desk.resume_cancel(ticket)
            elif ticket.status == "EDIT_QUEUED":
                edits.resume(ticket)
