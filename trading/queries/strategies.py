"""The strategies: what each looks for, its parameters, and which bots listen to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from inspect import getdoc
from typing import Any

from trading.core.config.strategies import STRATEGY_NAMES, StrategiesParams
from trading.models import Bot
from trading.queries.bots import list_bots, whole_params
from trading.research.space import list_parameters


@dataclass(frozen=True, slots=True)
class Listener:
    """A bot by the weight it gives to a strategy; 0 switches the vote off."""

    bot: Bot
    weight: float


@dataclass(frozen=True, slots=True)
class Strategy:
    """One of them."""

    name: str
    idea: str
    parameters: Sequence[Mapping[str, Any]]
    bots: Sequence[Listener]


def list_strategies() -> list[Strategy]:
    """In the order of votes, with the workspace's bots that have a revision in force."""
    ideas = {one.name: getdoc(one.default_factory) or "" for one in fields(StrategiesParams)}
    declared = list_parameters()
    bots = [
        (bot, whole_params(bot.active_revision.params)["strategies"])
        for bot in list_bots()
        if bot.active_revision is not None
    ]
    return [
        Strategy(
            name=name,
            idea=ideas[name],
            parameters=[p for p in declared if p["name"].startswith(f"strategies.{name}.")],
            bots=[Listener(bot, params[name]["weight"]) for bot, params in bots],
        )
        for name in STRATEGY_NAMES
    ]
