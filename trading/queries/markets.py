"""The markets of an engine: one bot's active revision on one instrument, in a fixed order."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from trading.models import Bot, BotRevision, Instrument


@dataclass(frozen=True, slots=True)
class EngineMarket:
    """One market; ``index`` is the engine's own number of it."""

    index: int
    bot: Bot
    revision: BotRevision
    instrument: Instrument


def list_markets(*, account_id: UUID) -> list[EngineMarket]:
    """The markets of the account's bots that trade in its mode, oldest bot first."""
    bots = (
        Bot.objects.filter(account_id=account_id, stage=F("account__mode"))
        .exclude(active_revision=None)
        .select_related("active_revision")
        .prefetch_related("bot_instruments__instrument")
        .order_by("created_at", "id")
    )
    chosen = [
        (bot, row.instrument)
        for bot in bots
        for row in sorted(bot.bot_instruments.all(), key=lambda row: (row.order, row.id))
    ]
    return [
        EngineMarket(index, bot, bot.active_revision, instrument)  # type: ignore[arg-type]
        for index, (bot, instrument) in enumerate(chosen)
    ]
