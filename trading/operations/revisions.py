"""Changing a bot's parameters: tightening at once, loosening after a wait, real money with proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tenants import operations as tenant_operations
from tenants.models import User
from trading.core import params as core_params
from trading.core.config.pipeline import PipelineParams
from trading.core.loosening import loosened
from trading.models import Bot, BotRevision, RevisionWait
from trading.operations.accounts import LEAST_REASON
from trading.operations.bots import activate_revision, store_revision
from trading.queries.bots import whole_params
from trading.queries.revision_evidence import missing_for

LOOSENING_WAITS = timedelta(hours=24)


class BotNotFound(Exception):
    """No such bot in this workspace."""


class RevisionRefused(Exception):
    """The bot is not changed; the text says why."""


class RevisionMoved(RevisionRefused):
    """Another revision was put in force since the asker looked."""


class MayNotLoosen(RevisionRefused):
    """The asker may tighten risk limits, not loosen them."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a change, and whether they may loosen risk limits."""

    user: User
    may_loosen: bool


def change_bot(
    *, bot_id: UUID, based_on: int, params: Mapping[str, Any], asker: Asker, now: datetime
) -> RevisionWait | None:
    """Make a revision of these parameters; the wait it has to stand, or None: it is in force.

    Where the bot trades real money it waits until there is proof as well, unless it only tightens.

    Raises:
        BotNotFound: no such bot.
        RevisionRefused: nothing changes, another revision came between, or the asker may not.
        InvalidParams: a parameter is unknown or outside its bounds.
    """
    bot = _lock(bot_id)
    active = bot.active_revision
    if active is None or active.number != based_on:
        raise RevisionMoved("Another revision was put in force meanwhile; look at it first.")
    before = whole_params(active.params)
    after = core_params.to_mapping(core_params.validate(PipelineParams, params))
    if before == after:
        raise RevisionRefused("Nothing differs from the active revision.")
    loosens = loosened(before, after)
    if loosens and not asker.may_loosen:
        raise MayNotLoosen(f"Only an owner may loosen {', '.join(loosens)}.")
    _end_wait(bot, RevisionWait.Outcome.SUPERSEDED, now)
    revision = store_revision(
        bot=bot,
        timeframe_seconds=active.timeframe_seconds,
        params=after,
        actor=asker.user,
        now=now,
    )
    if not loosens and not missing_for(revision, now=now):
        activate_revision(bot=bot, revision=revision, actor=asker.user, now=now)
        return None
    return _begin_wait(revision, loosens, asker.user, now)


def put_in_force(
    *, bot_id: UUID, override: str, actor: User, now: datetime, number: int | None = None
) -> None:
    """Make the revision that waited the active one; ``override`` is an owner's reason to do without
    proof where it trades real money, and stands in the audit log. ``number`` is the revision that was
    looked at, where another may have taken its place.

    Raises:
        BotNotFound: no such bot.
        RevisionRefused: it does not wait, its time has not come, or proof is missing.
    """
    bot = _lock(bot_id)
    wait = _waiting(bot, number)
    if now < wait.due_at:
        raise RevisionRefused(f"It waits until {wait.due_at:%Y-%m-%d %H:%M} UTC.")
    missing, reason = missing_for(wait.revision, now=now), override.strip()
    if missing:
        if len(reason) < LEAST_REASON:
            raise RevisionRefused(
                f"{wait.revision} stays out of force: {'; '.join(missing)}; an owner may override "
                f"this with a reason of at least {LEAST_REASON} characters."
            )
        _audit(wait, "bot.override_proof", actor, now, override=reason, missing=missing)
    _end_wait(bot, RevisionWait.Outcome.IN_FORCE, now)
    activate_revision(bot=bot, revision=wait.revision, actor=actor, now=now)


def withdraw_wait(*, bot_id: UUID, actor: User, now: datetime, number: int | None = None) -> None:
    """Give up the revision that waits; ``number`` as above.

    Raises:
        BotNotFound: no such bot. RevisionRefused: it does not wait.
    """
    bot = _lock(bot_id)
    wait = _waiting(bot, number)
    _end_wait(bot, RevisionWait.Outcome.WITHDRAWN, now)
    _audit(wait, "bot.withdraw_revision", actor, now)


def _lock(bot_id: UUID) -> Bot:
    try:
        Bot.objects.select_for_update(no_key=True).get(id=bot_id)
        found: Bot = Bot.objects.select_related("active_revision").get(id=bot_id)
    except Bot.DoesNotExist:
        raise BotNotFound from None
    return found


def _waiting(bot: Bot, number: int | None) -> RevisionWait:
    wait: RevisionWait | None = bot.waits.filter(ended_at=None).select_related("revision").first()
    if wait is None:
        raise RevisionRefused("No revision waits.")
    if number not in (None, wait.revision.number):
        raise RevisionRefused(
            f"Revision {number} does not wait; revision {wait.revision.number} does."
        )
    return wait


def _begin_wait(
    revision: BotRevision, loosens: list[str], actor: User, now: datetime
) -> RevisionWait:
    wait: RevisionWait = RevisionWait.objects.create(
        tenant_id=revision.tenant_id,
        bot=revision.bot,
        revision=revision,
        loosens=loosens,
        due_at=now + LOOSENING_WAITS if loosens else now,
    )
    _audit(wait, "bot.ask_loosening" if loosens else "bot.ask_proof", actor, now)
    return wait


def _end_wait(bot: Bot, outcome: str, now: datetime) -> None:
    bot.waits.filter(ended_at=None).update(ended_at=now, outcome=outcome)


def _audit(wait: RevisionWait, action: str, actor: User, now: datetime, **more: object) -> None:
    tenant_operations.write_audit(
        tenant_id=wait.tenant_id,
        actor=actor,
        action=action,
        subject=f"bot {wait.bot.name}",
        before={},
        after={"revision": wait.revision.number, "loosens": wait.loosens, **more},
        now=now,
    )
