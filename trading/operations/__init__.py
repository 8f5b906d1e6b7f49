"""Write use cases of trading, one module per noun."""

from trading.operations.accounts import AccountNotFound, ModeRefused, switch_mode
from trading.operations.bots import create_bot, revise_bot
from trading.operations.credentials import KeyReport, disable_account_key, record_check
from trading.operations.demo import Demo, ensure_demo
from trading.operations.engines import (
    EngineNotFound,
    close_all,
    create_engine,
    kill_engine,
    mark_silent,
    park_engine,
    pause_engine,
    reconcile_engine,
    resume_engine,
    revive_engine,
    start_engine,
    stop_engine,
)
from trading.operations.funds import deposit_paper_funds
from trading.operations.revisions import (
    Asker,
    BotNotFound,
    MayNotLoosen,
    RevisionMoved,
    RevisionRefused,
    change_bot,
    put_in_force,
    withdraw_wait,
)

__all__ = [
    "AccountNotFound",
    "Asker",
    "BotNotFound",
    "Demo",
    "EngineNotFound",
    "KeyReport",
    "MayNotLoosen",
    "ModeRefused",
    "RevisionMoved",
    "RevisionRefused",
    "change_bot",
    "close_all",
    "create_bot",
    "create_engine",
    "deposit_paper_funds",
    "disable_account_key",
    "ensure_demo",
    "kill_engine",
    "mark_silent",
    "park_engine",
    "pause_engine",
    "put_in_force",
    "reconcile_engine",
    "record_check",
    "resume_engine",
    "revise_bot",
    "revive_engine",
    "start_engine",
    "stop_engine",
    "switch_mode",
    "withdraw_wait",
]
