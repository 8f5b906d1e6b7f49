"""Bots and their immutable revisions."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, User
from trading.core import params as core_params
from trading.core.config.pipeline import PipelineParams
from trading.models import Bot, BotInstrument, BotRevision, Engine, Instrument
from trading.operations.accounts import AccountNotFound
from trading.operations.engines import create_engine
from trading.queries.bars import CannotFeed, bar_source
from trading.queries.markets import list_tradable

DEFAULT_SPEED = "60"
MOST_BOTS, MOST_PAIRS = 50, 20
LONGEST_NAME = 80
Venue = ExchangeAccount.Venue


class InvalidBot(ValueError):
    """What was asked for cannot be; names the field, the value and what is accepted."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.field, self.words = field, words


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new bot is to trade."""

    name: str
    symbols: Sequence[str]
    timeframe_seconds: int
    params: Mapping[str, Any]


def open_bot(*, account_id: uuid.UUID, wanted: Wanted, actor: User | None, now: datetime) -> Bot:
    """A person's new bot on one of the workspace's accounts, which gets an engine if it has none.

    Raises:
        AccountNotFound: no such account here. InvalidBot: a field cannot be.
        InvalidParams: a parameter is unknown or outside its bounds.
    """
    account = ExchangeAccount.objects.select_for_update().filter(id=account_id).first()
    if account is None:
        raise AccountNotFound(f"no account {account_id} in this workspace")
    _check_account(account)
    name = _free_name(account, wanted.name)
    instruments = _instruments(account, wanted.symbols)
    _check_timeframe(account, instruments, wanted.timeframe_seconds)
    bot = create_bot(
        account=account,
        name=name,
        instruments=instruments,
        timeframe_seconds=wanted.timeframe_seconds,
        params=wanted.params,
        actor=actor,
        now=now,
    )
    if not Engine.objects.filter(account=account).exists():
        create_engine(account=account, speed=DEFAULT_SPEED)
    tenant_operations.write_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="bot.create",
        subject=f"bot {bot.name}",
        before={},
        after={"account": str(account), "pairs": list(wanted.symbols)},
        now=now,
    )
    return bot


def _check_account(account: ExchangeAccount) -> None:
    if account.disabled_at is not None:
        raise InvalidBot("account", f"{account} is disabled; enable it first")
    if account.is_real:
        raise InvalidBot("account", f"{account} sends real orders; a new bot begins on paper")
    if Bot.objects.filter(account=account).count() >= MOST_BOTS:
        raise InvalidBot("account", f"{account} has {MOST_BOTS} bots, the most there may be")


def _free_name(account: ExchangeAccount, name: str) -> str:
    found = " ".join(name.split())
    if not 1 <= len(found) <= LONGEST_NAME or not found.isprintable():
        raise InvalidBot("name", f"{found!r}, accepted is 1 to {LONGEST_NAME} characters")
    if Bot.objects.filter(account=account, name__iexact=found).exists():
        raise InvalidBot("name", f"{found!r} is taken on {account}")
    return found


def _instruments(account: ExchangeAccount, symbols: Sequence[str]) -> list[Instrument]:
    """Of several stored venues the one with the first name serves."""
    known: dict[str, Instrument] = {}
    for instrument in list_tradable(account):
        known.setdefault(instrument.symbol, instrument)
    if not 1 <= len(symbols) <= MOST_PAIRS:
        raise InvalidBot("pairs", f"{len(symbols)}, accepted is 1 to {MOST_PAIRS}")
    if len(set(symbols)) != len(symbols):
        raise InvalidBot("pairs", "a pair is there twice")
    for symbol in symbols:
        if symbol not in known:
            there = ", ".join(list(known)[:20]) or "none yet"
            raise InvalidBot("pairs", f"{symbol!r}, known on {account} is {there}")
    return [known[symbol] for symbol in symbols]


def _check_timeframe(
    account: ExchangeAccount, instruments: Sequence[Instrument], seconds: int
) -> None:
    others = Bot.objects.filter(account=account).exclude(active_revision=None)
    other = others.exclude(stage=Bot.Stage.RETIRED).select_related("active_revision").first()
    if other is not None and other.active_revision is not None:
        theirs = other.active_revision.timeframe_seconds
        if theirs != seconds:
            raise InvalidBot(
                "timeframe", f"{seconds} s, but bot {other.name!r} of this account has {theirs} s; "
                "all bots of an engine share one"
            )  # fmt: skip
    if account.venue not in (Venue.REPLAY, Venue.SYNTHETIC):
        return  # the venue says at the start what it has
    for instrument in instruments:
        try:
            bar_source(venue=account.venue, instrument=instrument, timeframe_seconds=seconds)
        except CannotFeed as error:
            raise InvalidBot("timeframe", str(error)) from None


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
    Bot.objects.select_for_update(no_key=True).get(id=bot.id)
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
