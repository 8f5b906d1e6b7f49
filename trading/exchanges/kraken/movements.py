"""What moves on an account, as the balances channel tells it: what is no trade of ours is worth a look."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from trading.exchanges.known_orders import KnownOrders
from trading.exchanges.kraken import frames
from trading.exchanges.sockets import Ask, Frame

log = structlog.get_logger(__name__)

CHANNEL = "balances"
GRACE_SECONDS = 2.0  # a trade is told on two channels, in either order
CALM_SECONDS = 10.0  # between two notices: each look costs calls of REST


class Movements:
    """Of one account, over connections that come and go; ``notice`` is called where it must be looked at.

    After a gap the channel is asked for anew on the same connection, and its snapshot is worth a look,
    as after every later connection.
    """

    def __init__(self, known: KnownOrders, *, notice: Callable[[str], None]) -> None:
        self._known, self._notice = known, notice
        self._token = ""
        self._sequence, self._is_whole, self._has_begun = 0, False, False
        self._due: asyncio.TimerHandle | None = None
        self._noticed_at = float("-inf")

    def subscription(self, token: str) -> Frame:
        """What a connection begins with."""
        self._token, self._is_whole = token, False
        return self._request("subscribe")

    def hear(self, frame: Frame) -> Ask | None:
        """A message of the channel; what must be sent because of it."""
        number = frames.count_of(frame)
        if frame.get("type") == "snapshot":
            if self._has_begun:
                self._stir("balances were told anew", after=GRACE_SECONDS)
            self._sequence, self._is_whole, self._has_begun = number, True, True
        elif self._is_whole and number > self._sequence + 1:
            log.warning("movements_missing", last=self._sequence, came=number)
            self._is_whole = False
            return Ask([self._request("unsubscribe"), self._request("subscribe")])
        elif self._is_whole and (number > self._sequence or not number):
            self._sequence = number or self._sequence
            rows = frame.get("data")
            for row in rows if isinstance(rows, list) else []:
                if isinstance(row, dict):
                    self._take(row)
        return None

    def _request(self, method: str) -> Frame:
        return {"method": method, "params": {"channel": CHANNEL, "token": self._token}}

    def _take(self, row: Mapping[str, Any]) -> None:
        kind, trade = str(row.get("type")), str(row.get("ref_id"))
        words = f"{kind} of {row.get('amount')} {row.get('asset')}, {row.get('wallet_type')} wallet"
        if kind != "trade":
            self._stir(words)
        else:
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self._doubt, trade, words)

    def _doubt(self, trade: str, words: str) -> None:
        if trade not in self._known.told:
            self._stir(f"{words}: not ours")

    def _stir(self, words: str, *, after: float = 0.0) -> None:
        """One notice is on its way at most; what it is about is looked up anyway."""
        if self._due is None:
            loop = asyncio.get_running_loop()
            at = max(loop.time() + after, self._noticed_at + CALM_SECONDS)
            self._due = loop.call_at(at, self._tell, words)

    def _tell(self, words: str) -> None:
        self._due, self._noticed_at = None, asyncio.get_running_loop().time()
        log.info("account_moved", what=words)
        self._notice(words)
