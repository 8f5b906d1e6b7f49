"""What an account must have on record before it sends real orders to a real venue."""

from datetime import datetime, timedelta

from django.conf import settings

from tenants.models import ExchangeAccount, ExchangeCredential
from trading.marketdata.timeframes import format_timeframe
from trading.models import BacktestRun, Bot, BotInstrument, BotRevision, Fill

State = ExchangeCredential.State
KEY_FRESH_FOR = timedelta(hours=48)
PAPER_DAYS, PAPER_FILLS = 14, 10
PASSED = ("some", "strong")  # levels of trading.backtest.verdict


def needed_for_any(account: ExchangeAccount, *, now: datetime) -> list[str]:
    """What nobody may override; a sentence each."""
    if account.is_paper_only:
        return ["through ccxt comes market data only, no order can be sent"]
    credential = ExchangeCredential.objects.filter(account=account).first()
    is_play = account.venue in ExchangeAccount.PLAY_VENUES
    if not is_play and not settings.ALLOW_LIVE:
        return [
            "this installation sends real orders to the venue simulator only; its operator "
            "allows others by NOVA_ALLOW_LIVE=yes"
        ]
    if credential is None or credential.state == State.DISABLED:
        return ["it has no key"]
    if is_play and credential.state != State.BAD:
        return []
    if credential.state != State.GOOD:
        return [f"its key is not known to be good ({credential.detail or 'not checked yet'})"]
    if credential.checked_at is None or now - credential.checked_at > KEY_FRESH_FOR:
        return ["its key was not checked in the last 48 hours"]
    return []


def missing_evidence(account: ExchangeAccount, *, now: datetime) -> list[str]:
    """What an owner may override with a reason; a sentence each. Play money needs none."""
    if account.venue in ExchangeAccount.PLAY_VENUES:
        return []
    bots = Bot.objects.filter(account=account).exclude(stage=Bot.Stage.RETIRED)
    active = bots.exclude(active_revision=None).select_related("active_revision")
    listed = active.order_by("created_at", "id")
    revisions = [bot.active_revision for bot in listed if bot.active_revision is not None]
    if not revisions:
        return ["it has no bot with an active revision"]
    missing = []
    for revision in revisions:
        if not _has_passed_backtest(revision):
            missing.append(f"{revision} has no backtest that luck does not explain")
        if not _has_paper_period(account, revision, now=now):
            missing.append(
                f"{revision} has not traded on paper for {PAPER_DAYS} days with {PAPER_FILLS} fills"
            )
    return missing


def _has_passed_backtest(revision: BotRevision) -> bool:
    """Of the same parameters, on bars of the same length, over every pair of the bot."""
    traded = BotInstrument.objects.filter(bot_id=revision.bot_id).order_by("order", "id")
    runs = BacktestRun.objects.filter(
        kind=BacktestRun.Kind.BACKTEST,
        status=BacktestRun.Status.DONE,
        params_hash=revision.params_hash,
        request__timeframe=format_timeframe(revision.timeframe_seconds),
        request__pairs__contains=list(traded.values_list("instrument__symbol", flat=True)),
    )
    passed: bool = runs.filter(facts__verdict__level__in=PASSED).exists()
    return passed


def _has_paper_period(account: ExchangeAccount, revision: BotRevision, *, now: datetime) -> bool:
    fills = Fill.objects.filter(
        account=account,
        order__intent__bot_id=revision.bot_id,
        filled_at__gte=revision.created_at,
        filled_at__lte=now,
    ).order_by("filled_at", "id")
    first = fills.first()
    is_long = first is not None and now - first.filled_at >= timedelta(days=PAPER_DAYS)
    return is_long and fills.count() >= PAPER_FILLS
