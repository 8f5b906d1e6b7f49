"""The rows of one engine as the engine needs them, or one sentence why they do not make one."""

from dataclasses import dataclass

from django.conf import settings

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from trading.core import params as core_params
from trading.core.config.pipeline import PipelineParams
from trading.engine.messages import MarketSpec
from trading.models import Engine
from trading.queries.markets import EngineMarket, list_markets

NS_PER_SECOND = 1_000_000_000


class CannotRun(Exception):
    """The rows of an engine do not make a runnable engine; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows of one engine, read once."""

    tenant_id: str
    engine: Engine
    account: ExchangeAccount
    markets: tuple[EngineMarket, ...]
    specs: tuple[MarketSpec, ...]
    params: tuple[PipelineParams, ...]


def read_plan(*, tenant_id: str, engine_id: str) -> Plan:
    """Read an engine's account, bots, revisions and instruments.

    Raises:
        CannotRun: no bot, no revision, no instrument, a live account, or mixed quote currencies.
    """
    with tenant_scope(tenant_id):
        engine = Engine.objects.select_related("account").get(id=engine_id)
        account = engine.account
        is_live = account.mode == ExchangeAccount.Mode.LIVE
        is_play = account.venue in ExchangeAccount.PLAY_VENUES
        if is_live and not is_play and not settings.ALLOW_LIVE:
            raise CannotRun(
                f"{account} is in live mode; this installation sends real orders to the venue "
                "simulator only (NOVA_ALLOW_LIVE=yes allows others)"
            )
        markets = tuple(list_markets(account_id=account.id))
    if account.disabled_at is not None:
        raise CannotRun(f"{account} is disabled; enable it first")
    if not markets:
        raise CannotRun(
            f"{account} has no {account.mode.lower()} bot with an active revision and an instrument"
        )
    wrong = {market.instrument.quote for market in markets} - {account.quote_currency}
    if wrong:
        raise CannotRun(
            f"{account} is kept in {account.quote_currency}, but an instrument is quoted in "
            f"{', '.join(sorted(wrong))}"
        )
    return Plan(
        tenant_id=tenant_id,
        engine=engine,
        account=account,
        markets=markets,
        specs=tuple(_spec(market) for market in markets),
        params=tuple(
            core_params.validate(PipelineParams, market.revision.params) for market in markets
        ),
    )


def _spec(market: EngineMarket) -> MarketSpec:
    instrument = market.instrument
    return MarketSpec(
        index=market.index,
        bot_id=str(market.bot.id),
        revision_id=str(market.revision.id),
        instrument_id=instrument.id,
        venue=instrument.venue,
        symbol=instrument.symbol,
        base=instrument.base,
        quote=instrument.quote,
        tick_size=instrument.tick_size,
        lot_size=instrument.lot_size,
        min_quantity=instrument.min_quantity,
        min_notional=instrument.min_notional,
        timeframe_ns=market.revision.timeframe_seconds * NS_PER_SECOND,
    )
