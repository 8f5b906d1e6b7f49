"""The ORM (data layer) of trading; no behaviour beyond constraints."""

from trading.models.bots import Bot, BotInstrument, BotRevision, RevisionWait
from trading.models.breakers import Alert, ForeignOrder
from trading.models.decisions import Decision
from trading.models.engines import (
    Engine,
    EngineCommand,
    EngineSnapshot,
    Hold,
    MarketChanges,
    MarketSnapshot,
)
from trading.models.market import BarSeries, Instrument
from trading.models.orders import Fill, Order, OrderIntent
from trading.models.positions import LedgerEntry, Position
from trading.models.proofs import LedgerProof
from trading.models.research import BacktestRun, BacktestTrial
from trading.models.workspace import Favorite, SettingsVersion

__all__ = [
    "Alert",
    "BacktestRun",
    "BacktestTrial",
    "BarSeries",
    "Bot",
    "BotInstrument",
    "BotRevision",
    "Decision",
    "Engine",
    "EngineCommand",
    "EngineSnapshot",
    "Favorite",
    "Fill",
    "ForeignOrder",
    "Hold",
    "Instrument",
    "LedgerEntry",
    "LedgerProof",
    "MarketChanges",
    "MarketSnapshot",
    "Order",
    "OrderIntent",
    "Position",
    "RevisionWait",
    "SettingsVersion",
]
