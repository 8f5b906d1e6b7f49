"""The limits each bot stands under, and how much of each its account uses now."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trading.core.nearest import look_up
from trading.models import Bot, Engine
from trading.queries.bots import whole_params
from trading.queries.overview import accounts_saved

# What of the account each limit is held against; as the engine's gates do.
USED: dict[str, Callable[[Any], float]] = {
    "risk.max_open_positions": lambda account: float(account["open_positions"]),
    "risk.max_daily_trades": lambda account: float(account["entries_today"]),
    "risk.max_daily_loss": lambda account: _fall(account["day_start_equity"], account["equity"]),
    "risk.max_drawdown": lambda account: _fall(account["peak_equity"], account["equity"]),
    "sizing.max_exposure": lambda account: _share(account["exposure"], account["equity"]),
}
ZERO_IS_OFF = "risk.max_daily_trades"
WORDS = {
    "risk.max_open_positions": "Open positions",
    "risk.max_daily_trades": "Entries of a day",
    "risk.max_daily_loss": "Loss of a day",
    "risk.max_drawdown": "Fall from the highest equity",
    "sizing.max_exposure": "Positions over equity",
}
COUNTED = ("risk.max_open_positions", "risk.max_daily_trades")  # the others are shares of equity


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit; ``limit`` None: none is set, ``used`` None: the engine has not saved itself yet."""

    name: str
    limit: float | None
    used: float | None

    @property
    def words(self) -> str:
        """What is limited."""
        return WORDS[self.name]

    @property
    def is_counted(self) -> bool:
        """Whether it is a number of things, and not a share."""
        return self.name in COUNTED

    @property
    def share(self) -> float | None:
        """How much of the limit is used; 1 is all of it."""
        if self.limit is None or self.used is None:
            return None
        return self.used / self.limit


@dataclass(frozen=True, slots=True)
class BotLimits:
    """Every limit of one bot's revision in force."""

    bot: Bot
    limits: Sequence[Limit]


def list_limits(bots: Iterable[Bot]) -> list[BotLimits]:
    """Of those with a revision in force, in a number of queries that does not grow with them."""
    saved = accounts_saved()
    engines = Engine.objects.order_by("id").values_list("account_id", "id")
    used = {account_id: saved.get(engine_id) for account_id, engine_id in engines}
    return [
        BotLimits(bot, _limits(bot.active_revision.params, used.get(bot.account_id)))
        for bot in bots
        if bot.active_revision is not None
    ]


def _limits(stored: Mapping[str, Any], account: Any | None) -> list[Limit]:
    params = whole_params(stored)
    return [
        Limit(
            name=name,
            limit=None
            if name == ZERO_IS_OFF and not look_up(params, name)
            else look_up(params, name),
            used=None if account is None else used(account),
        )
        for name, used in USED.items()
    ]


def _fall(highest: float, now: float) -> float:
    return max(0.0, _share(highest - now, highest))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0
