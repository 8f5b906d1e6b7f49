"""Which parameter sets come next: grid, seeded random, or TPE; the same seed asks the same sets."""

from collections.abc import Sequence
from itertools import islice, product
from typing import Any, Protocol

import numpy as np

from trading.research.requests import Search
from trading.research.space import Dimension, Number, size_of_grid

BATCH = (
    20  # asked for before any of them is told: what may run side by side, and one chunk of a job
)
Values = dict[str, Number]


class Sampler(Protocol):
    """Asked for a batch, told its scores, asked for the next."""

    def ask(self, count: int) -> list[Values]:
        """The next parameter sets."""
        ...

    def tell(self, scores: Sequence[float | None]) -> None:
        """How the sets of the last batch did, in order; None: not eligible."""
        ...


def new_sampler(search: Search, *, seed: int) -> Sampler:
    """A fresh sampler of a search."""
    if search.sampler == "grid":
        return Listed(grid(search.space))
    if search.sampler == "random":
        return Listed(draw(search.space, search.trials, seed=seed))
    return Tpe(search.space, seed=seed)


class Listed:
    """Sets that are known beforehand."""

    def __init__(self, sets: Any) -> None:
        self._sets = iter(sets)

    def ask(self, count: int) -> list[Values]:
        """The next ones of the list."""
        return list(islice(self._sets, count))

    def tell(self, scores: Sequence[float | None]) -> None:
        """Nothing is learned."""


def grid(space: Sequence[Dimension]) -> Any:
    """Every combination, the last parameter fastest."""
    names = [dimension.name for dimension in space]
    for point in product(*(dimension.values for dimension in space)):
        yield dict(zip(names, point, strict=True))


def draw(space: Sequence[Dimension], count: int, *, seed: int) -> list[Values]:
    """``count`` different sets, every one as likely as any other."""
    rng = np.random.default_rng(seed)
    size = size_of_grid(space)
    if size and size <= 10 * count:
        chosen = rng.permutation(size)[:count]
        return [_point(space, int(index)) for index in chosen]
    found: dict[tuple[Number, ...], Values] = {}
    while len(found) < count:
        values = {dimension.name: _any(dimension, rng) for dimension in space}
        found.setdefault(tuple(values.values()), values)
    return list(found.values())


def _point(space: Sequence[Dimension], index: int) -> Values:
    values: Values = {}
    for dimension in reversed(space):
        index, at = divmod(index, len(dimension.values))
        values[dimension.name] = dimension.values[at]
    return {dimension.name: values[dimension.name] for dimension in space}


def _any(dimension: Dimension, rng: np.random.Generator) -> Number:
    if dimension.values:
        return dimension.values[int(rng.integers(len(dimension.values)))]
    return float(rng.uniform(dimension.low, dimension.high))


class Tpe:
    """Tree-structured Parzen estimator of Optuna, asked in batches so that jobs change nothing."""

    def __init__(self, space: Sequence[Dimension], *, seed: int) -> None:
        import optuna  # half a second and a dozen packages that only this sampler needs

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._failed = optuna.trial.TrialState.FAIL
        self._space = space
        self._asked: list[Any] = []

    def ask(self, count: int) -> list[Values]:
        """The next batch; the sampler knows nothing of it until it is told."""
        self._asked = [self._study.ask() for _ in range(count)]
        return [{d.name: self._suggest(trial, d) for d in self._space} for trial in self._asked]

    @staticmethod
    def _suggest(trial: Any, dimension: Dimension) -> Number:
        if not dimension.values:
            return float(trial.suggest_float(dimension.name, dimension.low, dimension.high))
        at = trial.suggest_int(dimension.name, 0, len(dimension.values) - 1)
        return dimension.values[at]

    def tell(self, scores: Sequence[float | None]) -> None:
        """A set that is not eligible counts as failed: it is neither good nor bad."""
        for trial, score in zip(self._asked, scores, strict=True):
            if score is None:
                self._study.tell(trial, state=self._failed)
            else:
                self._study.tell(trial, score)
