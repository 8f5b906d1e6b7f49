"""What a workspace has done on its way to a first decision."""

from dataclasses import dataclass
from uuid import UUID

from tenants.models import ExchangeAccount
from trading.models import BacktestRun, Bot, Decision, Engine


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Each step, and the engine that is next to be started."""

    has_account: bool
    has_bot: bool
    has_backtest: bool
    has_started: bool
    has_decided: bool
    engine: UUID | None


def read_first_steps() -> FirstSteps:
    """Of the workspace whose scope is open."""
    ready = Engine.objects.filter(account__bots__isnull=False, account__disabled_at=None)
    wanted = ready.filter(desired=Engine.Desired.RUNNING)
    return FirstSteps(
        has_account=ExchangeAccount.objects.filter(disabled_at=None).exists(),
        has_bot=Bot.objects.exists(),
        has_backtest=BacktestRun.objects.exists(),
        has_started=wanted.exists(),
        has_decided=Decision.objects.exists(),
        engine=ready.order_by("account__label", "id").values_list("id", flat=True).first(),
    )
