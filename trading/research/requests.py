"""Requests as frozen values: checked when made, plain JSON in the row, equal when read back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from trading.core.config.pipeline import PipelineParams
from trading.core.params import params_hash, to_mapping, validate
from trading.marketdata.checks import moment
from trading.marketdata.timeframes import format_timeframe, parse_timeframe
from trading.research.objectives import OBJECTIVES
from trading.research.space import Dimension, size_of_grid

FOREVER_NS = 2**63 - 1
DAY_NS = 86_400_000_000_000
BACKTEST, SWEEP, WALK_FORWARD, LOOKAHEAD = "BACKTEST", "SWEEP", "WALK_FORWARD", "LOOKAHEAD"
SAMPLERS = ("grid", "random", "tpe")
MOST_EPOCHS = 100_000
MOST_PROBES = 1_000


class InvalidRequest(ValueError):
    """A request that cannot be; the text names field, value and what is accepted."""


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What to run. Without a venue the only one that stores the pairs is taken."""

    symbols: tuple[str, ...]
    venue: str | None
    timeframe_seconds: int
    start_ns: int
    end_ns: int
    params: PipelineParams
    cash: Decimal
    seed: int = 0
    detail_seconds: int = 0  # of finer bars that tell what happened within a bar, 0: none

    def __post_init__(self) -> None:
        if not self.symbols:
            raise InvalidRequest("pairs: at least one is needed")
        if len(set(self.symbols)) < len(self.symbols):
            raise InvalidRequest("pairs: every pair may be named once")
        quotes = {symbol.split("/")[1] for symbol in self.symbols}
        if len(quotes) > 1:
            raise InvalidRequest(
                "pairs: one account holds one quote currency; the pairs have "
                f"{', '.join(sorted(quotes))}"
            )
        if self.end_ns <= self.start_ns:
            raise InvalidRequest("timerange: its end must lie after its beginning")
        if not self.cash > 0:
            raise InvalidRequest(f"cash: must be above 0, was {self.cash}")
        detail = self.detail_seconds
        if detail and (detail >= self.timeframe_seconds or self.timeframe_seconds % detail):
            raise InvalidRequest(
                f"timeframe detail: must fit into {format_timeframe(self.timeframe_seconds)} a whole "
                f"number of times, was {format_timeframe(detail)}"
            )
        if not 0 <= self.seed < 2**32:
            raise InvalidRequest(f"seed: must be from 0 to {2**32 - 1}, was {self.seed}")


@dataclass(frozen=True, slots=True)
class Search:
    """Which parameter sets to try and how to choose among them."""

    space: tuple[Dimension, ...]
    sampler: str
    epochs: int
    objective: str
    min_trades: int = 0

    def __post_init__(self) -> None:
        if not self.space:
            raise InvalidRequest("param: a search needs at least one parameter to vary")
        names = [dimension.name for dimension in self.space]
        if len(set(names)) < len(names):
            raise InvalidRequest(f"param: every parameter once, was {', '.join(names)}")
        for field, value, accepted in (
            ("sampler", self.sampler, SAMPLERS),
            ("objective", self.objective, tuple(OBJECTIVES)),
        ):
            if value not in accepted:
                raise InvalidRequest(f"{field}: {value!r}, accepted is {', '.join(accepted)}")
        if not 1 <= self.epochs <= MOST_EPOCHS:
            raise InvalidRequest(f"epochs: must be from 1 to {MOST_EPOCHS:,}, was {self.epochs}")
        if self.min_trades < 0:
            raise InvalidRequest(f"min trades: must be 0 or more, was {self.min_trades}")
        if self.sampler == "grid":
            self._check_grid()

    def _check_grid(self) -> None:
        endless = [dimension.name for dimension in self.space if not dimension.values]
        if endless:
            raise InvalidRequest(
                f"param: a grid needs a step, {', '.join(endless)} has none: write low:high:step"
            )
        if size_of_grid(self.space) > MOST_EPOCHS:
            raise InvalidRequest(
                f"param: the grid has {size_of_grid(self.space):,} points, at most "
                f"{MOST_EPOCHS:,} are tried; take --sampler random or tpe"
            )

    @property
    def trials(self) -> int:
        """How many parameter sets will be tried."""
        size = size_of_grid(self.space)
        if self.sampler == "grid":
            return size
        return min(self.epochs, size) if self.sampler == "random" and size else self.epochs


@dataclass(frozen=True, slots=True)
class Walk:
    """Train, leave a gap, test; then move on by one test."""

    train_days: int
    test_days: int
    purge_bars: int
    anchored: bool = False

    def __post_init__(self) -> None:
        for field, value in (("train days", self.train_days), ("test days", self.test_days)):
            if not 1 <= value <= 10_000:
                raise InvalidRequest(f"{field}: must be from 1 to 10,000, was {value}")
        if not 0 <= self.purge_bars <= 1_000_000:
            raise InvalidRequest(f"purge: must be from 0 to 1,000,000 bars, was {self.purge_bars}")


@dataclass(frozen=True, slots=True)
class ResearchRequest:
    """Everything a run was asked; which parts are there follows from its kind."""

    kind: str
    base: BacktestRequest
    search: Search | None = None
    walk: Walk | None = None
    probes: int = 0

    def __post_init__(self) -> None:
        if self.kind == LOOKAHEAD and not 1 <= self.probes <= MOST_PROBES:
            raise InvalidRequest(f"probes: must be from 1 to {MOST_PROBES:,}, was {self.probes}")

    @property
    def params_hash(self) -> str:
        """Of the parameters it starts from."""
        return params_hash(self.base.params)

    def on_venue(self, venue: str) -> "ResearchRequest":
        """The same on the venue that was found for it."""
        return replace(self, base=replace(self.base, venue=venue))


def to_json(request: ResearchRequest) -> dict[str, Any]:
    """Plain names and values for the row."""
    base, search, walk = request.base, request.search, request.walk
    told: dict[str, Any] = {
        "kind": request.kind,
        "pairs": list(base.symbols),
        "venue": base.venue,
        "timeframe": format_timeframe(base.timeframe_seconds),
        "start": _edge(base.start_ns),
        "end": _edge(base.end_ns),
        "start_ns": base.start_ns,
        "end_ns": base.end_ns,
        "params": to_mapping(base.params),
        "cash": f"{base.cash:f}",
        "seed": base.seed,
        "timeframe_detail": format_timeframe(base.detail_seconds) if base.detail_seconds else None,
    }
    if search:
        told["search"] = {
            "space": [dimension.to_json() for dimension in search.space],
            "sampler": search.sampler,
            "epochs": search.epochs,
            "objective": search.objective,
            "min_trades": search.min_trades,
        }
    if walk:
        told["walk"] = {name: getattr(walk, name) for name in Walk.__dataclass_fields__}
    if request.kind == LOOKAHEAD:
        told["probes"] = request.probes
    return told


def from_json(told: Mapping[str, Any]) -> ResearchRequest:
    """The request a row holds.

    Raises:
        InvalidRequest, InvalidParams: the row was written by another version.
    """
    search, walk, detail = told.get("search"), told.get("walk"), told["timeframe_detail"]
    return ResearchRequest(
        kind=told["kind"],
        base=BacktestRequest(
            symbols=tuple(told["pairs"]),
            venue=told["venue"],
            timeframe_seconds=parse_timeframe(told["timeframe"]),
            start_ns=told["start_ns"],
            end_ns=told["end_ns"],
            params=validate(PipelineParams, told["params"]),
            cash=Decimal(told["cash"]),
            seed=told["seed"],
            detail_seconds=parse_timeframe(detail) if detail else 0,
        ),
        search=Search(
            **{**search, "space": tuple(Dimension.from_json(one) for one in search["space"])}
        )
        if search
        else None,
        walk=Walk(**walk) if walk else None,
        probes=told.get("probes", 0),
    )


def _edge(time_ns: int) -> str | None:
    """An end of the range in words; None where it is open."""
    return None if time_ns in (0, FOREVER_NS) else f"{moment(time_ns).replace(' ', 'T')}Z"
