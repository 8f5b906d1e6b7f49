"""Options of the commands of research: the same words everywhere, on the line or in a file."""

import json
import os
from argparse import Action, ArgumentError, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from trading.core.config.profiles import PROFILES
from trading.core.params import validate
from trading.management import backtests as words
from trading.management.bars import positive, symbol, timeframe
from trading.research.objectives import OBJECTIVES
from trading.research.requests import (
    FOREVER_NS,
    SAMPLERS,
    BacktestRequest,
    InvalidRequest,
    Search,
)
from trading.research.space import Dimension, InvalidSpace, parse_dimension, with_values

EPOCHS, PROFILE, TIMEFRAME_SECONDS = 100, "balanced", 60
CASH = Decimal(10_000)
EXIT_CODES = (
    "exit codes: 0 done, 1 error, 2 not found, 4 wrong request, 130 interrupted or cancelled"
)


class ConfigFile(Action):
    """``--config FILE``: a JSON object of options; what stands on the line wins."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, _: str | None = None
    ) -> None:
        known = {action.dest: action for action in parser._actions if action.option_strings}
        for name, value in self._read(values).items():
            if name not in known or name in ("config", "help"):
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
                raise ArgumentError(self, f"{values}: {name}: no such option; {hint}")
            if getattr(namespace, name) in (None, [], False):
                setattr(namespace, name, self._value(known[name], value))

    def _read(self, path: str) -> dict[str, Any]:
        try:
            told = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ArgumentError(self, f"{path}: {error.strerror}") from None
        except ValueError as error:
            raise ArgumentError(self, f"{path}: not JSON ({error})") from None
        if not isinstance(told, dict):
            raise ArgumentError(self, f"{path}: must be an object of options")
        return told

    def _value(self, action: Action, value: Any) -> Any:
        several = isinstance(value, list)
        chosen = [self._one(action, one) for one in (value if several else [value])]
        return chosen if action.nargs == "+" or action.dest == "param" else chosen[0]

    def _one(self, action: Action, value: Any) -> Any:
        if action.dest == "params" and isinstance(value, dict):
            return value
        if isinstance(value, bool) or action.type is None:
            return value
        try:
            return action.type(str(value))  # type: ignore[operator]  # a function of one text
        except (ArgumentTypeError, ValueError) as error:
            raise ArgumentError(self, f"{action.dest}: {error}") from None


def add_base_options(parser: ArgumentParser) -> None:
    """Which bars, which parameters, how much money, and where the result goes."""
    parser.epilog = EXIT_CODES
    parser.add_argument("-c", "--config", action=ConfigFile, metavar="FILE", help="JSON of options")
    parser.add_argument(
        "-p", "--pairs", "--pair", nargs="+", type=symbol, metavar="BASE/QUOTE", dest="pairs"
    )
    parser.add_argument("--exchange", help="where the bars come from, such as kraken")
    parser.add_argument("-i", "--timeframe", type=timeframe, help="default 1m")
    parser.add_argument(
        "--timeframe-detail",
        type=timeframe,
        metavar="TIMEFRAME",
        help="finer stored bars that tell the order of events within a bar",
    )
    parser.add_argument(
        "--timerange",
        type=words.timerange,
        help="YYYYMMDD-YYYYMMDD, the last day not included; default all",
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--profile", choices=sorted(PROFILES), help=f"default {PROFILE}")
    chosen.add_argument("--params", type=Path, metavar="FILE", help="JSON file of parameters")
    parser.add_argument("--cash", type=positive, help=f"default {CASH:,}")
    parser.add_argument("--seed", "--random-state", type=int, dest="seed", help="default 0")
    parser.add_argument("--tenant", help="keep the run in this workspace (its short name)")
    parser.add_argument("--export", type=Path, metavar="FILE", help="write the result as JSON")
    parser.add_argument("--json", action="store_true")


def add_search_options(parser: ArgumentParser) -> None:
    """Which parameter sets to try, and how to choose."""
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="low:high:step, a,b,c, or the name alone for its bounds; may be repeated",
    )
    parser.add_argument("--sampler", choices=SAMPLERS, help="default grid")
    parser.add_argument("-e", "--epochs", type=int, help=f"tries of random and tpe, {EPOCHS}")
    parser.add_argument("--objective", choices=tuple(OBJECTIVES), help="default sharpe")
    parser.add_argument("--min-trades", type=int, help="fewer do not count; default 1")
    parser.add_argument("-j", "--jobs", type=int, help="processes; default one per core")


def base_request(options: dict[str, Any]) -> BacktestRequest:
    """The request the options ask for.

    Raises:
        InvalidParams, InvalidRequest: the text names option, value and what is accepted.
    """
    if not options["pairs"]:
        raise InvalidRequest("pairs: name at least one with --pairs BASE/QUOTE")
    start_ns, end_ns = options["timerange"] or (0, FOREVER_NS)
    return BacktestRequest(
        symbols=tuple(options["pairs"]),
        venue=options["exchange"],
        timeframe_seconds=options["timeframe"] or TIMEFRAME_SECONDS,
        start_ns=start_ns,
        end_ns=end_ns,
        params=_params(options),
        cash=options["cash"] or CASH,
        seed=options["seed"] or 0,
        detail_seconds=options["timeframe_detail"] or 0,
    )


def _params(options: dict[str, Any]) -> Any:
    given = options["params"]
    if isinstance(given, dict):
        return validate(type(PROFILES[PROFILE]), given)
    return words.read_params(profile=options["profile"] or PROFILE, path=given)


def fixed(base: BacktestRequest, texts: Sequence[str]) -> BacktestRequest:
    """The request with single values of ``--param``.

    Raises:
        InvalidSpace: several values for one parameter.
    """
    dimensions = [parse_dimension(text) for text in texts]
    for dimension in dimensions:
        if len(dimension.values) != 1:
            raise InvalidSpace(f"{dimension.name}: one value here; sweep tries several")
    values = {dimension.name: dimension.values[0] for dimension in dimensions}
    return replace(base, params=with_values(base.params, values))


def search_of(options: dict[str, Any]) -> Search:
    """The search the options ask for.

    Raises:
        InvalidSpace, InvalidRequest: the text names option, value and what is accepted.
    """
    least, epochs = options["min_trades"], options["epochs"]
    return Search(
        space=tuple(_dimensions(options["param"])),
        sampler=options["sampler"] or "grid",
        epochs=EPOCHS if epochs is None else epochs,
        objective=options["objective"] or "sharpe",
        min_trades=1 if least is None else least,
    )


def _dimensions(texts: Sequence[str]) -> list[Dimension]:
    return [parse_dimension(text) for text in texts]


def processes(options: dict[str, Any]) -> int:
    """How many processes evaluate.

    Raises:
        InvalidRequest: fewer than one.
    """
    jobs = options["jobs"]
    if jobs is None:
        return len(os.sched_getaffinity(0))
    if jobs < 1:
        raise InvalidRequest(f"jobs: must be 1 or more, was {jobs}")
    return int(jobs)
