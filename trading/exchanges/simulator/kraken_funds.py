"""Money of the simulated Kraken's customers: balances, their worth, fees, the ledger, transfers."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_rows as rows
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.kraken_pages import Past, page
from trading.exchanges.simulator.kraken_public import PublicMethods
from trading.exchanges.simulator.ledger import DEPOSIT, WITHDRAWAL, Line
from trading.exchanges.simulator.rules import Rejected

FOUR_PLACES = Decimal("0.0001")
Asked = Mapping[str, Any]
Method = tuple[str, Callable[[Account, Asked], Any]]


class Funds:
    """What an account may ask of its money."""

    def __init__(self, exchange: Exchange, public: PublicMethods) -> None:
        self._exchange, self._public = exchange, public
        self.known: dict[str, Method] = {
            "Balance": ("query-funds", self._balance),
            "BalanceEx": ("query-funds", self._balance_ex),
            "TradeBalance": ("query-funds", self._worth),
            "TradeVolume": ("query-funds", self._volume),
            "DepositStatus": ("query-funds", self._deposits),
            "WithdrawStatus": ("query-funds", self._withdrawals),
            "Ledgers": ("query-ledger", self._ledgers),
            "QueryLedgers": ("query-ledger", self._query_ledgers),
        }

    def _balance(self, account: Account, _: Asked) -> Any:
        return {words.asset_key(a): words.text(v) for a, v in account.balances.items()}

    def _balance_ex(self, account: Account, _: Asked) -> Any:
        return {
            words.asset_key(asset): {
                "balance": words.text(value),
                "hold_trade": words.text(account.held(asset)),
            }
            for asset, value in account.balances.items()
        }

    def _worth(self, account: Account, asked: Asked) -> Any:
        """All there is in one asset, of what a market here has a price for; nothing is borrowed."""
        (unit,) = self._assets(asked.get("asset") or "ZUSD")
        worth = [value * self._price(asset, unit) for asset, value in account.balances.items()]
        total = words.text(sum(worth, Decimal(0)).quantize(FOUR_PLACES))
        nothing = words.text(Decimal(0).quantize(FOUR_PLACES))
        borrowed = ("m", "uv", "n", "c", "v")
        return dict.fromkeys(("eb", "tb", "e", "mf"), total) | dict.fromkeys(borrowed, nothing)

    def _assets(self, name: str) -> set[str]:
        known = {asset for symbol in self._exchange.markets for asset in symbol.split("/")}
        named = {one for one in known if name in (one, words.asset_key(one), words.altname(one))}
        if not named:
            raise Rejected("EQuery:Unknown asset")
        return named

    def _price(self, asset: str, unit: str) -> Decimal:
        markets, name = self._exchange.markets, asset.partition(".")[0]
        if name == unit:
            return Decimal(1)
        if f"{name}/{unit}" in markets:
            return markets[f"{name}/{unit}"].last_price()
        if f"{unit}/{name}" in markets:
            return 1 / markets[f"{unit}/{name}"].last_price()
        return Decimal(0)

    def _volume(self, _: Account, asked: Asked) -> Any:
        fee = {"fee": "0.2600", "minfee": "0.1000", "maxfee": "0.2600"}
        maker = {"fee": "0.1600", "minfee": "0.0000", "maxfee": "0.1600"}
        markets = self._public.markets(asked) if asked.get("pair") else []
        pairs = [words.pair_key(market.symbol) for market in markets]
        return {
            "currency": "ZUSD",
            "volume": "0.0000",
            "fees": {pair: fee for pair in pairs} or None,
            "fees_maker": {pair: maker for pair in pairs} or None,
        }

    def _deposits(self, account: Account, asked: Asked) -> Any:
        return _moved(account, asked, DEPOSIT)

    def _withdrawals(self, account: Account, asked: Asked) -> Any:
        return _moved(account, asked, WITHDRAWAL)

    def _ledgers(self, account: Account, asked: Asked) -> Any:
        kind = asked.get("type") or "all"
        mine = [one for one in reversed(account.ledger) if kind in ("all", one.kind)]
        past = [Past(one.ledger_id, one.time_ns, rows.ledger_line(one))
                for one in mine if _is_of(one, asked)]  # fmt: skip
        return page(past, asked, "ledger")

    def _query_ledgers(self, account: Account, asked: Asked) -> Any:
        wanted = set(str(asked.get("id") or "").split(","))
        mine = [line for line in account.ledger if line.ledger_id in wanted]
        return {line.ledger_id: rows.ledger_line(line) for line in mine}


def _is_of(line: Line, asked: Asked) -> bool:
    """Whether a line is of the assets asked for, by any of their names."""
    names = {"all", line.asset, words.asset_key(line.asset), words.altname(line.asset)}
    return not names.isdisjoint(str(asked.get("asset") or "all").split(","))


def _moved(account: Account, asked: Asked, kind: str) -> list[dict[str, Any]]:
    mine = [line for line in reversed(account.ledger) if line.kind == kind]
    return [rows.transfer(line) for line in mine if _is_of(line, asked)]
