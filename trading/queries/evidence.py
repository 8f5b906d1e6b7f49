"""What speaks for a bot's present parameters before real money: a passed backtest, a time on paper."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import Q

from tenants.models import AuditEntry, ExchangeAccount
from trading.marketdata.timeframes import format_timeframe
from trading.models import BacktestRun, Bot, BotInstrument, BotRevision, Fill

PAPER_DAYS, PAPER_FILLS = 14, 10
PASSED = ("some", "strong")  # levels of trading.backtest.verdict
SWITCHED = "account.mode"


@dataclass(frozen=True, slots=True)
class PaperPeriod:
    """How long, and how much, a revision has traded on paper."""

    since: datetime | None
    days: int
    fills: int

    @property
    def is_enough(self) -> bool:
        """Whether it counts."""
        return self.days >= PAPER_DAYS and self.fills >= PAPER_FILLS


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one revision, in force or to be; ``by`` says whose time on paper counts, if not its own."""

    revision: BotRevision
    backtest: BacktestRun | None
    paper: PaperPeriod
    by: str = ""

    @property
    def bot(self) -> Bot:
        """Whose revision it is."""
        return self.revision.bot

    @property
    def missing(self) -> list[str]:
        """What is not on record; a sentence each."""
        found = []
        if self.backtest is None:
            found.append(f"{self.revision} has no backtest that luck does not explain")
        if not self.paper.is_enough:
            found.append(
                f"{self.revision} has {self.paper.days} of {PAPER_DAYS} days and "
                f"{self.paper.fills} of {PAPER_FILLS} fills on paper{self.by}"
            )
        return found


def list_evidence(account: ExchangeAccount, *, now: datetime) -> list[Evidence]:
    """Of every bot that would trade, the oldest first."""
    bots = Bot.objects.filter(account=account).exclude(stage=Bot.Stage.RETIRED)
    active = bots.exclude(active_revision=None).select_related("active_revision__bot")
    live = _live_times(account, now=now)
    return [
        Evidence(revision, passed_backtest(revision), _paper(account, revision, live, now))
        for bot in active.order_by("created_at", "id")
        if (revision := bot.active_revision) is not None
    ]


def paper_period(account: ExchangeAccount, since: BotRevision, *, now: datetime) -> PaperPeriod:
    """What the bot of a revision did on paper since that was made."""
    return _paper(account, since, _live_times(account, now=now), now)


def passed_backtest(revision: BotRevision) -> BacktestRun | None:
    """The newest of the same parameters, on bars of the same length, over every pair of the bot."""
    traded = BotInstrument.objects.filter(bot_id=revision.bot_id).order_by("order", "id")
    runs = BacktestRun.objects.filter(
        kind=BacktestRun.Kind.BACKTEST,
        status=BacktestRun.Status.DONE,
        params_hash=revision.params_hash,
        request__timeframe=format_timeframe(revision.timeframe_seconds),
        request__pairs__contains=list(traded.values_list("instrument__symbol", flat=True)),
        facts__verdict__level__in=PASSED,
    )
    return runs.order_by("-number", "-id").first()


def _paper(
    account: ExchangeAccount,
    revision: BotRevision,
    live: list[tuple[datetime, datetime]],
    now: datetime,
) -> PaperPeriod:
    fills = Fill.objects.filter(
        account=account,
        order__intent__bot_id=revision.bot_id,
        filled_at__gte=revision.created_at,
        filled_at__lte=now,
    )
    for begun, ended in live:
        fills = fills.exclude(Q(filled_at__gte=begun) & Q(filled_at__lt=ended))
    since = fills.order_by("filled_at", "id").values_list("filled_at", flat=True).first()
    days = (now - since - _within(live, since, now)) // timedelta(days=1) if since else 0
    return PaperPeriod(since, days, fills.count())


def _within(
    spans: Iterable[tuple[datetime, datetime]], since: datetime, until: datetime
) -> timedelta:
    parts = (min(ended, until) - max(begun, since) for begun, ended in spans)
    return sum((max(part, timedelta()) for part in parts), timedelta())


def _live_times(account: ExchangeAccount, *, now: datetime) -> list[tuple[datetime, datetime]]:
    """When the account sent real orders: (from, until), as the audit log has it."""
    switched = AuditEntry.objects.filter(action=SWITCHED, after__account=str(account.id))
    turns = [*switched.order_by("sequence").values_list("at", "after__mode"), (now, "")]
    return [
        (begun, ended)
        for (begun, mode), (ended, _) in pairwise(turns)
        if mode == ExchangeAccount.Mode.LIVE
    ]
