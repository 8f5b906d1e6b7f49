"""Who may ask the simulated venue what over REST: key, signature, nonce, rights, counters."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from trading.exchanges.simulator.accounts import KRAKEN, Account
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.kraken_private import PrivateMethods
from trading.exchanges.simulator.kraken_public import PublicMethods
from trading.exchanges.simulator.rules import Rejected

HISTORY = ("ClosedOrders", "TradesHistory", "QueryTrades")
UNCOUNTED = ("AddOrder", "CancelOrder", "AmendOrder")


class KrakenRest:
    """Answers one request."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._public = PublicMethods(exchange)
        self._private = PrivateMethods(exchange, self._public)

    @property
    def tokens(self) -> dict[str, tuple[Account, int]]:
        """Tokens for private sockets: whose, and until when."""
        return self._private.tokens

    def public(self, method: str, asked: Mapping[str, str]) -> Any:
        """The result of a public method.

        Raises:
            Rejected: in the venue's words.
        """
        if method not in self._public.known:
            raise Rejected("EGeneral:Unknown method")
        return self._public.known[method](asked)

    def private(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Any:
        """The result of a private method.

        Raises:
            Rejected: in the venue's words.
        """
        account = self._exchange.accounts.get(headers.get("API-Key", ""))
        if account is None or account.venue != KRAKEN:
            raise Rejected("EAPI:Invalid key")
        asked = _fields(body, headers.get("Content-Type", ""))
        self._check_signature(account, path, body, str(asked.get("nonce", "")), headers)
        if method not in UNCOUNTED:
            cost = 2.0 if method in HISTORY else 1.0
            if not account.calls.add(cost, self._exchange.clock.now_ns()):
                raise Rejected("EAPI:Rate limit exceeded")
        if method not in self._private.known:
            raise Rejected("EGeneral:Unknown method")
        right, answer = self._private.known[method]
        if right and right not in account.rights:
            raise Rejected("EGeneral:Permission denied")
        return answer(account, asked)

    def _check_signature(
        self, account: Account, path: str, body: bytes, nonce: str, headers: Mapping[str, str]
    ) -> None:
        digest = hashlib.sha256(nonce.encode() + body).digest()
        secret = base64.b64decode(account.secret)
        wanted = base64.b64encode(hmac.digest(secret, path.encode() + digest, "sha512")).decode()
        if not hmac.compare_digest(wanted, headers.get("API-Sign", "")):
            raise Rejected("EAPI:Invalid signature")
        if not nonce.isdigit() or int(nonce) <= account.nonce:
            self._exchange.log("invalid_nonce", key=account.key, nonce=nonce)
            raise Rejected("EAPI:Invalid nonce")
        account.nonce = int(nonce)


def _fields(body: bytes, content_type: str) -> dict[str, Any]:
    try:
        if "json" in content_type:
            told = json.loads(body)
            return told if isinstance(told, dict) else {}
        return dict(parse_qsl(body.decode(), strict_parsing=True))
    except ValueError:
        raise Rejected("EGeneral:Invalid arguments") from None
