"""Write use cases of trading, one module per noun."""

from trading.operations.bots import create_bot, revise_bot
from trading.operations.demo import Demo, ensure_demo
from trading.operations.engines import (
    EngineNotFound,
    close_all,
    create_engine,
    kill_engine,
    mark_silent,
    pause_engine,
    resume_engine,
    revive_engine,
    start_engine,
    stop_engine,
)
from trading.operations.funds import deposit_paper_funds

__all__ = [
    "Demo",
    "EngineNotFound",
    "close_all",
    "create_bot",
    "create_engine",
    "deposit_paper_funds",
    "ensure_demo",
    "kill_engine",
    "mark_silent",
    "pause_engine",
    "resume_engine",
    "revise_bot",
    "revive_engine",
    "start_engine",
    "stop_engine",
]
