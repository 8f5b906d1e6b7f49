"""Write use cases of trading, one module per noun."""

from trading.operations.accounts import (
    AccountNotFound,
    ModeRefused,
    ProtectionRefused,
    choose_protection,
    switch_mode,
)
from trading.operations.bots import InvalidBot, Wanted, create_bot, open_bot, revise_bot
from trading.operations.credentials import KeyReport, disable_account_key, record_check
from trading.operations.demo import Demo, ensure_demo
from trading.operations.engines import (
    EngineNotFound,
    EngineRefused,
    close_all,
    create_engine,
    kill_engine,
    mark_silent,
    note_refusal,
    park_engine,
    pause_engine,
    reconcile_engine,
    resume_engine,
    revive_engine,
    start_engine,
    stop_engine,
)
from trading.operations.funds import deposit_paper_funds
from trading.operations.opening import (
    InvalidAccount,
    disable_account,
    enable_account,
    open_account,
    rename_account,
)
from trading.operations.revisions import (
    Asker,
    BotNotFound,
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
    "EngineRefused",
    "InvalidAccount",
    "InvalidBot",
    "KeyReport",
    "ModeRefused",
    "ProtectionRefused",
    "RevisionRefused",
    "Wanted",
    "change_bot",
    "choose_protection",
    "close_all",
    "create_bot",
    "create_engine",
    "deposit_paper_funds",
    "disable_account",
    "disable_account_key",
    "enable_account",
    "ensure_demo",
    "kill_engine",
    "mark_silent",
    "note_refusal",
    "open_account",
    "open_bot",
    "park_engine",
    "pause_engine",
    "put_in_force",
    "reconcile_engine",
    "record_check",
    "rename_account",
    "resume_engine",
    "revise_bot",
    "revive_engine",
    "start_engine",
    "stop_engine",
    "switch_mode",
    "withdraw_wait",
]
