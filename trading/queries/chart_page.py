"""What the chart page is built of: the market, its neighbours, and the strategies of its revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trading.models import Engine
from trading.queries.dashboard import describe_market, list_engines
from trading.queries.markets import EngineMarket, markets_by_account
from trading.queries.plots import Shown, list_strategies, params_of


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A market that the page can go to."""

    engine: Engine
    market: EngineMarket
    is_here: bool


@dataclass(frozen=True, slots=True)
class ChartPage:
    """One market."""

    engine: Engine
    market: EngineMarket
    market_words: str
    strategies: Sequence[Shown]
    neighbours: Sequence[Neighbour]
    min_score: float


def get_page(*, engine_id: UUID | None, market_index: int, asked: str | None) -> ChartPage | None:
    """The chosen market, without a choice the first of the first engine that has one; else None.

    Args:
        asked: names of the strategies to show, with commas; None: the heaviest.

    Raises:
        Engine.DoesNotExist: no such engine in this workspace.
        IndexError: the engine has no such market.
    """
    engines = list_engines()
    markets = markets_by_account([engine.account_id for engine in engines])
    if engine_id is None:
        engine = next((one for one in engines if markets.get(one.account_id)), None)
        if engine is None:
            return None
    else:
        engine = next((one for one in engines if one.id == engine_id), None)
        if engine is None:
            raise Engine.DoesNotExist
    own = markets.get(engine.account_id, [])
    market = own[market_index]
    params = params_of(market.revision)
    heaviest = [one.name for one in list_strategies(params, asked=())[:1]]
    chosen = heaviest if asked is None else asked.split(",")
    return ChartPage(
        engine=engine,
        market=market,
        market_words=describe_market(engine, own),
        strategies=list_strategies(params, asked=chosen),
        neighbours=[
            Neighbour(one, other, other.index == market.index and one.id == engine.id)
            for one in engines
            for other in markets.get(one.account_id, [])
        ],
        min_score=params.confluence.min_score,
    )
