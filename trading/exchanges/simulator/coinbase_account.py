"""What the simulated Coinbase tells a customer of the account: wallets, fees, the key's rights."""

from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import coinbase_lists as lists
from trading.exchanges.simulator.coinbase_asked import Asked, HttpRefusal, unknown_order
from trading.exchanges.simulator.coinbase_desk import Desk
from trading.exchanges.simulator.coinbase_lists import FIAT
from trading.exchanges.simulator.coinbase_tickets import order_row, portfolio_id

VIEW, TRADE, TRANSFER = "view", "trade", "transfer"
RIGHTS = (VIEW, TRADE)
ALL_RIGHTS = (VIEW, TRADE, TRANSFER)


class AccountMethods:
    """What a key that may view can ask."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._exchange = desk, desk.exchange

    def accounts(self, asked: Asked) -> dict[str, Any]:
        """``/accounts``."""
        return lists.accounts(asked)

    def account(self, asked: Asked) -> dict[str, Any]:
        """``/accounts/{account_uuid}``."""
        account = asked.account
        for asset in account.balances:
            if lists.wallet_id(account, asset) == asked.named["account_uuid"]:
                return {"account": lists.wallet(account, asset)}
        words = "account with this uuid was not found"
        raise HttpRefusal(404, {"error": "NOT_FOUND", "error_details": words, "message": words})

    def orders(self, asked: Asked) -> dict[str, Any]:
        """``/orders/historical/batch``."""
        return lists.orders(self._desk, asked)

    def order(self, asked: Asked) -> dict[str, Any]:
        """``/orders/historical/{order_id}``."""
        ticket = self._desk.find(asked.account, asked.named["order_id"])
        if ticket is None:
            raise unknown_order()
        return {"order": order_row(ticket)}

    def fills(self, asked: Asked) -> dict[str, Any]:
        """``/orders/historical/fills``."""
        return lists.fills(self._desk, asked)

    def summary(self, asked: Asked) -> dict[str, Any]:
        """``/transaction_summary``."""
        traded = [ticket.order for ticket in self._desk.of(asked.account)]
        volume = float(sum((order.cost for order in traded), Decimal(0)))
        fees = float(sum((order.fee for order in traded), Decimal(0)))
        tariff = asked.account.tariff
        return {
            "total_volume": volume,
            "total_fees": fees,
            "fee_tier": {
                "pricing_tier": "Advanced 1",
                "usd_from": "0",
                "usd_to": "10000",
                "taker_fee_rate": str(tariff.taker),
                "maker_fee_rate": str(tariff.maker),
                "aop_from": "",
                "aop_to": "",
            },
            "margin_rate": None,
            "goods_and_services_tax": None,
            "advanced_trade_only_volume": volume,
            "advanced_trade_only_fees": fees,
            "coinbase_pro_volume": 0,
            "coinbase_pro_fees": 0,
        }

    def permissions(self, asked: Asked) -> dict[str, Any]:
        """``/key_permissions``."""
        return {
            **{f"can_{right}": right in asked.account.rights for right in ALL_RIGHTS},
            "portfolio_uuid": portfolio_id(asked.account),
            "portfolio_type": "DEFAULT",
        }

    def portfolios(self, asked: Asked) -> dict[str, Any]:
        """``/portfolios``."""
        uuid = portfolio_id(asked.account)
        return {
            "portfolios": [{"name": "Default", "uuid": uuid, "type": "DEFAULT", "deleted": False}]
        }


class CurrencyMethods:
    """The three lists of the older API that clients read before they trade."""

    def __init__(self, desk: Desk) -> None:
        self._exchange = desk.exchange

    def _names(self) -> list[str]:
        return sorted({asset for symbol in self._exchange.markets for asset in symbol.split("/")})

    def fiat(self, _: Asked) -> dict[str, Any]:
        """``/v2/currencies``."""
        names = [name for name in self._names() if name in FIAT]
        return {"data": [{"id": name, "name": name, "min_size": "0.01"} for name in names]}

    def crypto(self, _: Asked) -> dict[str, Any]:
        """``/v2/currencies/crypto``."""
        names = [name for name in self._names() if name not in FIAT]
        return {
            "data": [
                {"asset_id": name, "code": name, "name": name, "exponent": 8, "type": "crypto"}
                for name in names
            ]
        }

    def rates(self, _: Asked) -> dict[str, Any]:
        """``/v2/exchange-rates``."""
        rates = {"USD": "1"}
        for symbol, market in self._exchange.markets.items():
            base, quote = symbol.split("/")
            if quote == "USD":
                rates[base] = f"{1 / market.last_price():f}"
        return {"data": {"currency": "USD", "rates": rates}}
