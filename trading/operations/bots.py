"""Bots and their immutable revisions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, User
from trading.core import params as core_params
from trading.core.config.pipeline import PipelineParams
from trading.models import Bot, BotInstrument, BotRevision, Instrument


def create_bot(
    *,
    account: ExchangeAccount,
    name: str,
    instruments: Sequence[Instrument],
    timeframe_seconds: int,
    params: Mapping[str, Any],
    actor: User | None,
    now: datetime,
) -> Bot:
    """Make a bot with its first revision; it trades in its account's mode.

    Raises:
        InvalidParams: a parameter is unknown or outside its bounds.
    """
    bot = Bot.objects.create(
        tenant_id=account.tenant_id,
        account=account,
        name=name,
        stage=Bot.Stage(account.mode),
        created_at=now,
    )
    BotInstrument.objects.bulk_create(
        BotInstrument(tenant_id=bot.tenant_id, bot=bot, instrument=instrument, order=order)
        for order, instrument in enumerate(instruments)
    )
    revise_bot(bot=bot, timeframe_seconds=timeframe_seconds, params=params, actor=actor, now=now)
    return bot


def revise_bot(
    *,
    bot: Bot,
    timeframe_seconds: int,
    params: Mapping[str, Any],
    actor: User | None,
    now: datetime,
) -> BotRevision:
    """Store a new revision and make it the active one; an engine takes it up at its next start.

    Raises:
        InvalidParams: a parameter is unknown or outside its bounds.
    """
    revision = store_revision(
        bot=bot, timeframe_seconds=timeframe_seconds, params=params, actor=actor, now=now
    )
    activate_revision(bot=bot, revision=revision, actor=actor, now=now)
    return revision


def store_revision(
    *,
    bot: Bot,
    timeframe_seconds: int,
    params: Mapping[str, Any],
    actor: User | None,
    now: datetime,
) -> BotRevision:
    """A bot's next revision, in force for nobody yet.

    Raises:
        InvalidParams: a parameter is unknown or outside its bounds.
    """
    checked = core_params.validate(PipelineParams, params)
    Bot.objects.select_for_update().get(id=bot.id)
    last = bot.revisions.order_by("-number", "-id").first()
    return BotRevision.objects.create(
        tenant_id=bot.tenant_id,
        bot=bot,
        number=last.number + 1 if last else 1,
        timeframe_seconds=timeframe_seconds,
        params=core_params.to_mapping(checked),
        params_hash=core_params.params_hash(checked),
        created_at=now,
        author=actor,
    )


def activate_revision(
    *, bot: Bot, revision: BotRevision, actor: User | None, now: datetime
) -> None:
    """Make a stored revision the one the bot's engine takes up at its next start."""
    former = bot.active_revision
    bot.active_revision = revision
    bot.save(update_fields=["active_revision"])
    tenant_operations.write_audit(
        tenant_id=bot.tenant_id,
        actor=actor,
        action="bot.revise",
        subject=f"bot {bot.name}",
        before={"revision": former.number if former else None},
        after={"revision": revision.number, "params_hash": revision.params_hash},
        now=now,
    )
