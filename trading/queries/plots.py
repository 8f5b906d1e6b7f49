"""What the strategies of a market saw, as a worker drew it: series for the chart, or why there are none.

The web process has no compiler: a worker runs the bars through the core and leaves the result in the
cache, under the revision, the pair and the newest bar decided on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import numpy as np
from django.core.cache import cache

from trading.core.config.pipeline import PipelineParams
from trading.core.config.plots import SHARED, Plot
from trading.core.config.strategies import PLOTS, STRATEGY_NAMES
from trading.core.params import validate
from trading.models import BotRevision
from trading.queries.charts import NS_PER_MS, Charted

READY, WORKING, FAILED, EMPTY = "ready", "working", "failed", "empty"
KEPT_SECONDS = 900
ASKED_AGAIN_SECONDS = 10
DIGITS = 8


class Drawn(TypedDict):
    """As it is kept: a matrix of 64-bit floats, a row for each bar, a column for each name."""

    opened: bytes
    values: bytes
    names: Sequence[str]
    error: NotRequired[str]


class UnknownStrategy(ValueError):
    """A name that is no strategy; the text lists those there are."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A strategy that is on, for the legend."""

    name: str
    weight: float
    is_asked: bool

    @property
    def label(self) -> str:
        """As people write it."""
        return self.name.replace("_", " ")


def params_of(revision: BotRevision) -> PipelineParams:
    """The revision's parameters."""
    return validate(PipelineParams, revision.params)


def list_strategies(params: PipelineParams, *, asked: Sequence[str]) -> list[Shown]:
    """Those that are on, the heaviest first."""
    weights = {name: getattr(params.strategies, name).weight for name in STRATEGY_NAMES}
    ordered = sorted((name for name in weights if weights[name] > 0), key=lambda n: -weights[n])
    return [Shown(name, weights[name], name in asked) for name in ordered]


def check_strategies(asked: str) -> list[str]:
    """The strategies named in a list with commas.

    Raises:
        UnknownStrategy: one is not known.
    """
    names = [name for name in asked.split(",") if name]
    for name in names:
        if name not in STRATEGY_NAMES:
            raise UnknownStrategy(
                f"strategies: {name!r} is no strategy; there are {', '.join(STRATEGY_NAMES)}"
            )
    return names


def deciding_seconds(charted: Charted, params: PipelineParams) -> int:
    """The timeframe whose closed bars the strategies voted on."""
    frames = params.timeframes
    size = (1, frames.second, frames.third)[frames.deciding]
    return charted.market.revision.timeframe_seconds * max(size, 1)


def key_of(charted: Charted) -> str:
    """Where the drawn series are kept."""
    market = charted.market
    return f"plots:{market.revision.id}:{market.instrument.id}:{charted.last_ns}"


def keep(charted: Charted, drawn: Drawn) -> None:
    """Keep what a worker drew."""
    cache.set(key_of(charted), drawn, KEPT_SECONDS)


def is_to_be_asked(charted: Charted) -> bool:
    """Whether nobody asked a worker for them a moment ago; says so once."""
    return bool(cache.add(f"asked:{key_of(charted)}", 1, ASKED_AGAIN_SECONDS))


def read_plots(charted: Charted, *, strategies: Sequence[str]) -> dict[str, Any]:
    """State, and if ready the series of some strategies with what all of them share."""
    if not charted.last_ns:
        return {"state": EMPTY}
    drawn: Drawn | None = cache.get(key_of(charted))
    if drawn is None:
        return {"state": WORKING}
    if "error" in drawn:
        return {"state": FAILED, "words": drawn["error"]}
    params = params_of(charted.market.revision)
    opened = np.frombuffer(drawn["opened"], "i8") // NS_PER_MS
    matrix = np.frombuffer(drawn["values"], "f8").reshape(len(opened), len(drawn["names"]))
    columns = dict(zip(drawn["names"], matrix.T, strict=True))
    return {
        "state": READY,
        "timeframe_seconds": deciding_seconds(charted, params),
        "opened": opened.tolist(),
        "series": [
            _series(owner, plot, params, columns[f"{owner}.{plot.name}"])
            for owner, plot in _wanted(strategies)
            if f"{owner}.{plot.name}" in columns  # else drawn by a worker of another version
        ],
    }


def _wanted(strategies: Sequence[str]) -> list[tuple[str, Plot]]:
    """Of the shared series those whose scale a chosen strategy uses."""
    chosen = [(name, plot) for name in strategies for plot in PLOTS[name]]
    panes = {plot.pane for _, plot in chosen}
    return [*(("", plot) for plot in SHARED if plot.pane in panes), *chosen]


def _series(owner: str, plot: Plot, params: PipelineParams, values: np.ndarray) -> dict[str, Any]:
    return {
        "strategy": owner,
        "name": plot.name,
        "label": plot.words(getattr(params.strategies, owner, None)),
        "pane": plot.pane.value,
        "tone": plot.tone.value,
        "values": [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in values],
    }
