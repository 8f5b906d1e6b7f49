"""A venue's books with a word that cannot be read: told as no answer, never as a defect of ours."""

import copy
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import cycle
from typing import Any

import pytest

from tests.exchanges.ledgers import AtCoinbase, AtKraken, Venue, open_venue
from trading.engine.sights import Holding
from trading.exchanges.coinbase.account import _value
from trading.exchanges.failures import FAILS, NoAnswer
from trading.exchanges.known_orders import KnownOrders
from trading.exchanges.kraken import names
from trading.exchanges.kraken.account import Account
from trading.exchanges.simulator import coinbase_lists, kraken_rest
from trading.exchanges.statement import StatementTorn

ODD: tuple[Any, ...] = (None, "x", [], {}, "NaN", [None], 7, {"x": 7})
KRAKENS = ("Assets", "TradesHistory", "Ledgers", "ClosedOrders", "OpenOrders", "BalanceEx")
COINBASES = ("accounts", "orders", "fills")
Path = tuple[Any, ...]
Change = Callable[[str, Any], Any]


def paths_of(told: Any, above: Path = ()) -> Iterator[Path]:
    """The way to every value of an answer; of a list or a table of rows into the first alone."""
    yield above
    if isinstance(told, dict):
        is_table = len({type(one) for one in told.values()}) == 1 and isinstance(
            next(iter(told.values())), dict
        )
        for key in list(told)[: 1 if is_table else None]:
            yield from paths_of(told[key], (*above, key))
    elif isinstance(told, list) and told:
        yield from paths_of(told[0], (*above, 0))


def with_odd(told: Any, path: Path, odd: Any) -> Any:
    if not path:
        return odd
    spoilt = copy.deepcopy(told)
    place = spoilt
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return spoilt


def tell_through(monkeypatch: pytest.MonkeyPatch, venue: Venue, change: Change) -> None:
    """Each answer of the simulated venue goes through ``change``, with its method's name."""
    if isinstance(venue, AtKraken):
        for name in ("public", "private"):
            tell = getattr(kraken_rest.KrakenRest, name)
            monkeypatch.setattr(
                kraken_rest.KrakenRest,
                name,
                lambda self, method, *given, tell=tell: change(method, tell(self, method, *given)),
            )
        return
    for name in COINBASES:
        tell = getattr(coinbase_lists, name)
        monkeypatch.setattr(
            coinbase_lists, name, lambda *given, name=name, tell=tell: change(name, tell(*given))
        )


@pytest.mark.parametrize(
    ("kind", "methods"), [(AtKraken, KRAKENS[:-1]), (AtCoinbase, COINBASES)], ids=str
)
def test_whatever_cannot_be_read_is_no_statement_and_no_defect(
    kind: type[Venue], methods: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: dict[str, Any] = {}
    spoilt: tuple[str, Path, Any] = ("", (), None)

    def change(method: str, told: Any) -> Any:
        answers[method] = told
        return with_odd(told, *spoilt[1:]) if method == spoilt[0] else told

    with open_venue(kind) as venue:
        venue.buy()
        venue.later()
        tell_through(monkeypatch, venue, change)
        whole = venue.statement(venue.now_ns)
        odds, unread = cycle(ODD), 0
        for method in methods:
            for path in list(paths_of(copy.deepcopy(answers[method])))[::2]:
                spoilt = (method, path, next(odds))
                try:
                    venue.statement(venue.now_ns)
                except (*FAILS, StatementTorn):
                    unread += 1

    assert whole.trades
    assert unread > 8


def test_a_balance_that_cannot_be_read_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    odd: Any = {}

    def change(method: str, told: Any) -> Any:
        return odd.get(method, told)

    with open_venue(AtKraken) as venue:
        tell_through(monkeypatch, venue, change)
        for method in ("Assets", "BalanceEx"):
            for value in (None, 7, [], {"XXBT": {"balance": "NaN"}}, {"XXBT": {"balance": [7]}}):
                odd = {method: value}
                if method == "BalanceEx" or not isinstance(value, dict):
                    with pytest.raises(NoAnswer, match="cannot be read"):
                        venue.with_client(lambda client: Account(client, KnownOrders()).holdings())
        odd = {"Assets": {"ODD": None, "XXBT": {"altname": "XBT"}}, "BalanceEx": {"XXBT": {}}}
        told = venue.with_client(lambda client: Account(client, KnownOrders()).holdings())

    assert told == {"BTC": Holding(Decimal(0), Decimal(0))}


@pytest.mark.parametrize("row", [7, None, {}, {"altname": None}])
def test_an_asset_without_a_name_takes_no_other_away(row: Any) -> None:
    assert names.asset_names({"ODD": row, "XXBT": {"altname": "XBT"}})["XXBT"] == "BTC"


@pytest.mark.parametrize("value", [None, "NaN", "Infinity", [], "x"])
def test_a_wallet_of_coinbases_that_cannot_be_read_is_no_answer(value: Any) -> None:
    with pytest.raises(NoAnswer, match="wallet of BTC has no hold"):
        _value({"currency": "BTC", "hold": {"value": value}}, "hold")
