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

HISTORY = ("ClosedOrders", "TradesHistory", "QueryTrades", "Ledgers", "QueryLedgers")
UNCOUNTED = ("AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder",
             "CancelOrderBatch")  # fmt: skip


class KrakenRest:
    """Answers one request."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._public = PublicMethods(exchange)
        self._private = PrivateMethods(exchange, self._public)

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
        account, secret = self._customer(headers.get("API-Key", ""))
        asked = _fields(body, headers.get("Content-Type", ""))
        nonce = str(asked.get("nonce", ""))
        _check_signature(secret, path, nonce, body, headers.get("API-Sign", ""))
        self._check_nonce(account, nonce)
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

    def _customer(self, key: str) -> tuple[Account, str]:
        """(account, secret) of a key."""
        for account in self._exchange.accounts.values():
            secret = account.secret_of(key) if account.venue == KRAKEN else None
            if secret is not None:
                return account, secret
        raise Rejected("EAPI:Invalid key")

    def _check_nonce(self, account: Account, nonce: str) -> None:
        if not nonce.isdigit() or int(nonce) <= account.nonce:
            self._exchange.log("invalid_nonce", key=account.key, nonce=nonce)
            raise Rejected("EAPI:Invalid nonce")
        account.nonce = int(nonce)


def _check_signature(secret: str, path: str, nonce: str, body: bytes, given: str) -> None:
    digest = hashlib.sha256(nonce.encode() + body).digest()
    made = hmac.digest(base64.b64decode(secret), path.encode() + digest, "sha512")
    if not hmac.compare_digest(base64.b64encode(made).decode(), given):
        raise Rejected("EAPI:Invalid signature")


def _fields(body: bytes, content_type: str) -> dict[str, Any]:
    try:
        if "json" in content_type:
            told = json.loads(body)
            return told if isinstance(told, dict) else {}
        return dict(parse_qsl(body.decode(), strict_parsing=True))
    except ValueError:
        raise Rejected("EGeneral:Invalid arguments") from None
