"""The markets of an engine: one bot's active revision on one instrument, in a fixed order."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Prefetch

from tenants.models import ExchangeAccount
from trading.models import Bot, BotInstrument, BotRevision, Instrument


@dataclass(frozen=True, slots=True)
class EngineMarket:
    """One market; ``index`` is the engine's own number of it."""

    index: int
    bot: Bot
    revision: BotRevision
    instrument: Instrument


def list_tradable(account: ExchangeAccount) -> list[Instrument]:
    """The pairs a bot of the account may have: in its currency, known at its venue, or stored."""
    quoted = Instrument.objects.filter(quote=account.quote_currency)
    if account.venue == ExchangeAccount.Venue.REPLAY:
        stored = quoted.filter(series__isnull=False).distinct()
        return list(stored.order_by("symbol", "venue", "id"))
    return list(quoted.filter(venue=account.venue).order_by("symbol", "id"))


def list_markets(*, account_id: UUID) -> list[EngineMarket]:
    """The markets of the account's bots that trade in its mode, oldest bot first."""
    return markets_by_account([account_id]).get(account_id, [])


def markets_by_account(account_ids: Collection[UUID]) -> dict[UUID, list[EngineMarket]]:
    """``list_markets`` of several accounts in two queries; accounts without a market are left out."""
    bots = (
        Bot.objects.filter(account_id__in=account_ids, stage=F("account__mode"))
        .exclude(active_revision=None)
        .select_related("active_revision")
        .prefetch_related(
            Prefetch("bot_instruments", BotInstrument.objects.select_related("instrument"))
        )
        .order_by("created_at", "id")
    )
    found: dict[UUID, list[EngineMarket]] = defaultdict(list)
    for bot in bots:
        listed = found[bot.account_id]
        for row in sorted(bot.bot_instruments.all(), key=lambda row: (row.order, row.id)):
            market = EngineMarket(len(listed), bot, bot.active_revision, row.instrument)  # type: ignore[arg-type]
            listed.append(market)
    return {account_id: markets for account_id, markets in found.items() if markets}
