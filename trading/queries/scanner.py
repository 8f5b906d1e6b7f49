"""Every market that is traded with the last scan of it: what was seen, and the gate that said no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from trading.models import Decision, Engine
from trading.queries.dashboard import list_engines, newest_of_each
from trading.queries.decisions import describe_row
from trading.queries.markets import EngineMarket, markets_by_account


@dataclass(frozen=True, slots=True)
class Scanned:
    """One market of an engine; without a row it was not scanned yet."""

    engine: Engine
    market: EngineMarket
    row: Decision | None
    words: Mapping[str, Any]

    @property
    def refusal(self) -> Mapping[str, Any] | None:
        """The first gate that said no."""
        gates: Sequence[Mapping[str, Any]] = self.words["gates"] if self.words else ()
        return next((gate for gate in gates if gate["verdict"] == "refused"), None)


def list_scanned() -> list[Scanned]:
    """Of the workspace in scope, in a number of queries that does not grow with it."""
    engines = {engine.account_id: engine for engine in list_engines()}
    markets = [
        market
        for account_id, listed in markets_by_account(engines).items()
        for market in listed
        if account_id in engines
    ]
    newest = _newest(markets)
    return [_scanned(engines[market.bot.account_id], market, newest) for market in markets]


def _newest(markets: Sequence[EngineMarket]) -> dict[tuple[UUID, int], Decision]:
    if not markets:
        return {}
    first, *others = newest_of_each(markets, count=1)
    found = first.union(*others, all=True)
    return {(row.revision_id, row.instrument_id): row for row in found}


def _scanned(
    engine: Engine, market: EngineMarket, newest: Mapping[tuple[UUID, int], Decision]
) -> Scanned:
    row = newest.get((market.revision.id, market.instrument.id))
    return Scanned(engine, market, row, describe_row(row) if row is not None else {})
