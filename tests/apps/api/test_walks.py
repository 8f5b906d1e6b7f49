"""As owner, trader and keys: from one answer to the next, no 5xx and nothing the schema does not tell."""

# ruff: noqa: F811 - fixtures are asked for by their names

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.apps.api.test_access import OTHER_KEY, OTHER_SECRET, things, told  # noqa: F401
from tests.apps.api.test_runs import work
from tests.apps.api.test_schema import schema  # noqa: F401 - a fixture
from tests.apps.api.walks import Walker
from tests.apps.step_up import step_up
from tests.budget import TIMES

ASKED = {"pairs": ["BTC/USD"], "timeframe": "5m", "profile": "active"}
ORDERS = ("pause", "resume", "close_all", "kill")
CHOICES = st.lists(st.integers(0, 4 * 5 * 7 * 11 * 13), min_size=12, max_size=12)
REACHED = {  # by each of them; the rest is as the draw has it
    "list_bots",
    "bots_create",
    "bots_retrieve",
    "backtest_run_create",
    "backtest_runs_retrieve",
}


def bodies(things: dict[str, Any]) -> dict[str, Any]:
    """One each operation takes, where an empty one is not enough; names and limits are new ones."""
    number, account, engine = count(1), str(things["<uuid:account_id>"]), str(things["<engine>"])
    return {
        "bots_create": lambda: {
            "account": account,
            "name": f"Walker {next(number)}",
            "pairs": ["BTC/USD"],
        },
        "bots_revisions_create": lambda: {"params": {"risk.cooldown_bars": 5 + next(number) % 50}},
        "backtest_run_create": lambda: dict(ASKED),
        "backtest_lookahead_create": lambda: dict(ASKED),
        "backtest_optimize_create": lambda: {**ASKED, "space": ["exits.stop_scale=1,2"]},
        "accounts_create": lambda: {"exchange": "synthetic", "label": f"Walker {next(number)}"},
        "accounts_partial_update": lambda: {"label": f"Walker {next(number)}"},
        "accounts_key_create": lambda: {"key": OTHER_KEY, "secret": OTHER_SECRET},
        "accounts_mode_update": lambda: {"mode": "LIVE"},
        "accounts_protection_update": lambda: {"protection": "SWITCH"},
        "accounts_tier_update": lambda: {"tier": "PRO"},
        "notifications_partial_update": lambda: {"read": True},
        "notifications_settings_partial_update": lambda: {"least_severity": 20},
        "webhooks_create": lambda: {"url": "https://nobody.invalid/"},
        "settings_partial_update": lambda: {"paper_cash": str(100 + next(number))},
        **{f"control_{name}_create": lambda: {"engine": engine} for name in ORDERS},
    }


@pytest.mark.parametrize("who", ["olga", "tom", "tom-trade", "olga-admin"])
def test_a_walk_meets_only_what_is_published(
    schema, people, as_caller, store, boundless, things, who: str
) -> None:
    client = as_caller(who)
    if who == "olga":
        step_up(client, people.olga)
    walker = Walker(schema, client, bodies(things))

    @settings(
        max_examples=9 * TIMES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(choices=CHOICES)
    def check(choices: list[int]) -> None:
        walker.walk(choices)

    check()

    done = {name for name, code in walker.seen if code < 300}
    assert done >= REACHED
    assert len(done) > 15


def test_from_a_bot_to_the_report_of_its_backtest_by_links_alone(
    schema, people, as_caller, store, boundless, things
) -> None:
    client = as_caller("tom-trade")
    walker = Walker(schema, client, bodies(things))

    bot = walker.go("bots_create")
    changed = walker.go("bots_revisions_create", since=bot)
    walker.go("bots_revisions_retrieve", since=changed)
    run = walker.go("backtest_run_create")
    work(people, store, next(lead.parameters["number"] for lead in run))
    walker.go("backtest_runs_retrieve", since=run)
    walker.go("backtest_runs_result_retrieve", since=run)
    walker.go("backtest_runs_report", since=run)

    assert [code for _, code in walker.seen] == [201, 201, 200, 202, 200, 200, 200]
