"""All parameters of the pipeline, composed; one instance is one bot revision."""

from dataclasses import dataclass

from trading.core.config.decision import (
    ConfluenceParams,
    InputParams,
    LearningParams,
    ModelParams,
    TimeframesParams,
)
from trading.core.config.money import (
    CostParams,
    EntryParams,
    ExitParams,
    RiskParams,
    SizingParams,
)
from trading.core.config.strategies import STRATEGY_NAMES, StrategiesParams
from trading.core.params import group

__all__ = ["STRATEGY_NAMES", "PipelineParams", "StrategiesParams"]


@dataclass(frozen=True, slots=True)
class PipelineParams:
    """Everything a bot can tune."""

    strategies: StrategiesParams = group(StrategiesParams)
    timeframes: TimeframesParams = group(TimeframesParams)
    confluence: ConfluenceParams = group(ConfluenceParams)
    learning: LearningParams = group(LearningParams)
    model: ModelParams = group(ModelParams)
    inputs: InputParams = group(InputParams)
    sizing: SizingParams = group(SizingParams)
    risk: RiskParams = group(RiskParams)
    entries: EntryParams = group(EntryParams)
    exits: ExitParams = group(ExitParams)
    costs: CostParams = group(CostParams)
