"""One group of parameters per strategy, in the order everything else keeps."""

from dataclasses import dataclass, fields

from trading.core.config.breakout import BreakoutParams
from trading.core.config.funding_rate import FundingRateParams
from trading.core.config.ichimoku import IchimokuParams
from trading.core.config.keltner import KeltnerParams
from trading.core.config.market_structure import MarketStructureParams
from trading.core.config.mean_reversion import MeanReversionParams
from trading.core.config.momentum import MomentumParams
from trading.core.config.order_flow import OrderFlowParams
from trading.core.config.reversal import ReversalParams
from trading.core.config.rsi_mean_reversion import RsiMeanReversionParams
from trading.core.config.stochastic_divergence import StochasticDivergenceParams
from trading.core.config.supertrend import SupertrendParams
from trading.core.config.trend import TrendParams
from trading.core.config.volatility_squeeze import VolatilitySqueezeParams
from trading.core.config.vwap_momentum import VwapMomentumParams
from trading.core.params import group


@dataclass(frozen=True, slots=True)
class StrategiesParams:
    """The strategies; their order is that of STRATEGY_NAMES, of votes and of the registry."""

    trend: TrendParams = group(TrendParams)
    mean_reversion: MeanReversionParams = group(MeanReversionParams)
    breakout: BreakoutParams = group(BreakoutParams)
    momentum: MomentumParams = group(MomentumParams)
    reversal: ReversalParams = group(ReversalParams)
    keltner: KeltnerParams = group(KeltnerParams)
    ichimoku: IchimokuParams = group(IchimokuParams)
    order_flow: OrderFlowParams = group(OrderFlowParams)
    stochastic_divergence: StochasticDivergenceParams = group(StochasticDivergenceParams)
    volatility_squeeze: VolatilitySqueezeParams = group(VolatilitySqueezeParams)
    supertrend: SupertrendParams = group(SupertrendParams)
    vwap_momentum: VwapMomentumParams = group(VwapMomentumParams)
    market_structure: MarketStructureParams = group(MarketStructureParams)
    funding_rate: FundingRateParams = group(FundingRateParams)
    rsi_mean_reversion: RsiMeanReversionParams = group(RsiMeanReversionParams)


STRATEGY_NAMES = tuple(StrategiesParams.__dataclass_fields__)
PLOTS = {f.name: f.default_factory.PLOTS for f in fields(StrategiesParams)}  # type: ignore[union-attr]
