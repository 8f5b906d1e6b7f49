"""What speaks for new parameters of a bot that trades real money: a backtest, a time on paper."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from tenants.models import ExchangeAccount
from trading.core.loosening import only_tightens
from trading.models import Bot, BotRevision, RevisionWait
from trading.queries.bots import whole_params
from trading.queries.evidence import Evidence, PaperPeriod, paper_period, passed_backtest

BY = ", by the bot that has traded its strategies longest"
IN_FORCE = Q(wait=None) | Q(wait__outcome=RevisionWait.Outcome.IN_FORCE)


def missing_for(revision: BotRevision, *, now: datetime) -> list[str]:
    """What an owner may override with a reason before it is put in force; a sentence each.

    Nothing on paper or for play money, and nothing where it only tightens risk limits.
    """
    bot = Bot.objects.select_related("account", "active_revision").get(id=revision.bot_id)
    active = bot.active_revision
    if not bot.account.is_real or active is None:
        return []
    if only_tightens(whole_params(active.params), whole_params(revision.params)):
        return []
    paper = _paper(bot, revision, now=now)
    return Evidence(revision, passed_backtest(revision), paper, BY).missing


def strategies_of(params: Mapping[str, Any]) -> frozenset[str]:
    """Those whose vote counts."""
    voting = whole_params(params)["strategies"]
    return frozenset(name for name, one in voting.items() if one["weight"] > 0)


def _paper(bot: Bot, revision: BotRevision, *, now: datetime) -> PaperPeriod:
    """The best that a bot of this workspace did on paper with the same strategies and bars."""
    others = Bot.objects.filter(account__mode=ExchangeAccount.Mode.PAPER).exclude(id=bot.id)
    candidates = [bot, *others.select_related("account").order_by("created_at", "id")]
    periods = [
        paper_period(one.account, first, now=now)
        for one in candidates
        for first in _first_alike(one, revision)
    ]
    return max(
        periods,
        key=lambda one: (one.is_enough, one.days, one.fills),
        default=PaperPeriod(None, 0, 0),
    )


def _first_alike(bot: Bot, revision: BotRevision) -> Iterator[BotRevision]:
    """The revision since which a bot has let the same strategies vote on the same bars, if it does."""
    found = None
    wanted = strategies_of(revision.params)
    former = bot.revisions.filter(IN_FORCE).exclude(id=revision.id)
    for one in former.order_by("-number", "-id"):
        if one.timeframe_seconds != revision.timeframe_seconds:
            break
        if strategies_of(one.params) != wanted:
            break
        found = one
    if found is not None:
        yield found
