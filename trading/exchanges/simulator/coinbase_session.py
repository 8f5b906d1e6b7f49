"""Requests of one socket of the simulated Coinbase, and what comes by the clock."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from trading.exchanges.simulator import coinbase_channels as channels
from trading.exchanges.simulator import coinbase_user as user
from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.coinbase_account import VIEW
from trading.exchanges.simulator.coinbase_asked import read_object
from trading.exchanges.simulator.coinbase_jwt import Unauthorized
from trading.exchanges.simulator.coinbase_outlet import Outlet
from trading.exchanges.simulator.coinbase_tickets import user_id
from trading.exchanges.simulator.coinbase_words import NS, find_market, product_of

PERIODS = {"heartbeats": 1.0, "candles": 1.0, "status": 1.0, "market_trades": 0.25,
           "ticker_batch": 5.0}  # fmt: skip
USER = ("user", "futures_balance_summary", "heartbeats")
PUBLIC = (*channels.MARKET, "heartbeats")


class Refusal(Exception):
    """A frame the venue answers with an error."""


class Session(Outlet):
    """Answers what the customer at the other end asks."""

    def receive(self, text: str) -> None:
        """Answer one frame."""
        try:
            self._act(read_object(text) or {})
        except Refusal as error:
            self.error(str(error))
        except Unauthorized as error:
            self.desk.exchange.log("unauthorized", why=str(error), path="socket")
            self.error("authentication failure")
            self.end()

    def _act(self, told: dict[str, Any]) -> None:
        kind, channel = told.get("type"), str(told.get("channel"))
        if kind not in ("subscribe", "unsubscribe"):
            raise Refusal(f"type {kind!r}: accepted is subscribe or unsubscribe")
        accepted = USER if self.is_user else PUBLIC
        if channel not in accepted:
            raise Refusal(f"channel {channel!r}: accepted is one of {', '.join(accepted)}")
        account = self._authenticate(told, channel)
        names = self._products(told.get("product_ids"), channel)
        if kind == "unsubscribe":
            self._unsubscribe(channel, names if told.get("product_ids") else [])
            return
        self.has_subscribed = True
        listed = self.channels.setdefault(channel, set())
        listed |= set(names)
        self.due.setdefault(channel, 0.0)
        if channel == "user":
            self.account = account
        self._echo()
        if channel == "user" and account is not None:
            if not names:
                listed.clear()
            user.begin(self, account)
        markets = self.desk.exchange.markets
        for name in names if channel in channels.MARKET else ():
            market = find_market(markets, name)
            if market is not None:
                channels.snapshot(self, channel, market)

    def _authenticate(self, told: dict[str, Any], channel: str) -> Account | None:
        """Whose token it is; market channels need none, but a wrong one is refused there too."""
        token = told.get("jwt")
        if token is None and channel in PUBLIC:
            return None
        account = self.rest.account_of(token if isinstance(token, str) else "", uri="")
        if channel == "user" and VIEW not in account.rights:
            raise Unauthorized("the key may not view")
        if self.account is not None and self.account is not account:
            raise Unauthorized("the socket belongs to another key")
        return account

    def _products(self, wanted: Any, channel: str) -> list[str]:
        """The products a frame names, as the market calls them; without any, all of the market's."""
        markets = self.desk.exchange.markets
        if wanted is not None and not isinstance(wanted, list):
            raise Refusal("product_ids: accepted is a list of products")
        if channel in ("heartbeats", "futures_balance_summary"):
            return []
        if not wanted:
            return [] if channel == "user" else [product_of(symbol) for symbol in markets]
        names = []
        for one in wanted:
            market = find_market(markets, one) if isinstance(one, str) else None
            if market is None:
                raise Refusal(f"product_ids: {one!r} is not a product")
            names.append(one if channel == "user" else product_of(market.symbol))
        return names

    def _unsubscribe(self, channel: str, names: list[str]) -> None:
        """Some products of a channel; without any, the whole channel."""
        listed = self.channels.get(channel, set())
        listed -= set(names)
        if not listed or not names:
            self.channels.pop(channel, None)
        self._echo()

    def _echo(self) -> None:
        """All that this socket listens to."""
        told = {channel: sorted(names) or [channel] for channel, names in self.channels.items()}
        if "user" in told and self.account is not None:
            told["user"] = [user_id(self.account)]
        self.tell("subscriptions", [{"subscriptions": told}])

    def tick(self) -> None:
        """What the clock brings: periodic channels, and the end of the venue's patience."""
        now = asyncio.get_running_loop().time()
        if not self.has_subscribed and now - self.opened_at > self.patience.subscribe_seconds:
            self.end()
        if now - max(self.told_at, self.opened_at) > self.patience.idle_seconds:
            self.end()
        for channel, seconds in PERIODS.items():
            if channel in self.channels and now >= self.due[channel]:
                self.due[channel] = now + seconds
                self._pulse(channel)

    def _pulse(self, channel: str) -> None:
        if channel == "heartbeats":
            self._beat()
            return
        for name in sorted(self.channels[channel]):
            market = find_market(self.desk.exchange.markets, name)
            if market is None:
                continue
            if channel == "market_trades":
                waiting, self.trades[name] = self.trades.get(name, []), []
                if waiting:
                    channels.tell_trades(self, market, reversed(waiting), "update")
            elif channel == "ticker_batch":
                told = [channels.ticker(market, channel)]
                self.tell(channel, [{"type": "update", "tickers": told}])
            elif channel == "candles":
                now_ns = self.desk.exchange.clock.now_ns()
                self._if_new(channel, name, "candles", channels.candles(market, 2, now_ns=now_ns))
            else:
                mode = self.desk.exchange.mode
                self._if_new(channel, name, "products", [channels.status(market, mode)])

    def _if_new(self, channel: str, name: str, field: str, told: list[dict[str, Any]]) -> None:
        """Only what changed is told again."""
        before = self.told.get((channel, name), [])
        fresh = [row for row in told if row not in before]
        self.told[channel, name] = told
        if fresh:
            self.tell(channel, [{"type": "update", field: fresh}])

    def _beat(self) -> None:
        now_ns = self.desk.exchange.clock.now_ns()
        at = datetime.fromtimestamp(now_ns // NS, UTC)
        moment = f"{at:%Y-%m-%d %H:%M:%S}.{now_ns % NS:09d} +0000 UTC m=+{self.beats + 1}.0"
        self.tell("heartbeats", [{"current_time": moment, "heartbeat_counter": str(self.beats)}])
        self.beats += 1
