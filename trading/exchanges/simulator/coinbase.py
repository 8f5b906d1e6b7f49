"""The simulated Coinbase as one thing: its REST, its sockets, its customers and their keys."""

from collections.abc import Mapping
from decimal import Decimal

from aiohttp import web

from trading.exchanges.simulator.accounts import COINBASE, COINBASE_TARIFF, Account
from trading.exchanges.simulator.coinbase_account import ALL_RIGHTS, RIGHTS
from trading.exchanges.simulator.coinbase_desk import Desk
from trading.exchanges.simulator.coinbase_jwt import read_public_key
from trading.exchanges.simulator.coinbase_rest import CoinbaseRest
from trading.exchanges.simulator.coinbase_sockets import CoinbaseSockets
from trading.exchanges.simulator.exchange import Exchange


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
        self.rest.keys[key] = public_key
        self._exchange.accounts[key] = account
        return account
