"""Where an answer leads: OpenAPI links, from what was made or read to what can be done with it."""

from typing import Any

ACCOUNT = {"account_id": "$response.body#/account"}
BOT = {"bot_id": "$response.body#/bot"}
BASED_ON = {"If-Match": "$response.header.ETag"}
RUN = {"number": "$response.body#/run"}
COMMAND = {"command_id": "$response.body#/command"}
NOTICE = {"notification_id": "$response.body#/notification"}
FIRST_NOTICE = {"notification_id": "$response.body#/items/0/notification"}
REVISION = {
    "bot_id": "$request.path.bot_id",
    "revision": "$response.body#/revision",
}

WEBHOOK = {"webhook_id": "$response.body#/webhook"}
FIRST_WEBHOOK = {"webhook_id": "$response.body#/items/0/webhook"}

OF_ACCOUNT = (
    "accounts_retrieve",
    "accounts_partial_update",
    "accounts_disable_create",
    "accounts_enable_create",
    "accounts_key_create",
    "accounts_key_check_create",
    "accounts_key_destroy",
    "accounts_mode_retrieve",
    "accounts_mode_update",
    "accounts_protection_update",
    "accounts_tier_update",
)
OF_RUN = (
    "backtest_runs_retrieve",
    "backtest_runs_cancel_create",
    "backtest_runs_archive_create",
    "backtest_runs_result_retrieve",
    "backtest_runs_trials_retrieve",
    "backtest_runs_report",
)
OF_WEBHOOK = (
    "webhooks_retrieve",
    "webhooks_rotate_create",
    "webhooks_test_create",
    "webhooks_disable_create",
    "webhooks_enable_create",
    "list_deliveries",
    "webhooks_destroy",
)
ORDERED = ("pause", "resume", "close_all", "kill", "revive")
STARTED = ("run", "optimize", "walk_forward", "lookahead")
Parameters = dict[str, str]
LINKS: dict[tuple[str, int], dict[str, Parameters]] = {
    ("accounts_create", 201): dict.fromkeys(OF_ACCOUNT, ACCOUNT),
    ("bots_create", 201): {
        "bots_retrieve": BOT,
        "list_revisions": BOT,
        "bots_revisions_create": {**BOT, **BASED_ON},
    },
    ("bots_retrieve", 200): {"bots_revisions_create": {**BOT, **BASED_ON}},
    ("list_bots", 200): {"bots_retrieve": {"bot_id": "$response.body#/items/0/bot"}},
    ("list_accounts", 200): {
        "accounts_retrieve": {"account_id": "$response.body#/items/0/account"}
    },
    ("bots_revisions_create", 201): {
        "bots_revisions_retrieve": REVISION,
        "bots_revisions_revert_create": {**REVISION, **BASED_ON},
    },
    ("bots_revisions_create", 202): {
        "bots_revisions_retrieve": REVISION,
        "bots_revisions_put_in_force_create": REVISION,
        "bots_revisions_withdraw_create": REVISION,
    },
    **{
        (f"backtest_{kind}_create", 202): dict.fromkeys(OF_RUN, RUN)
        for kind in STARTED
    },
    **{
        (f"control_{kind}_create", 202): {"commands_retrieve": COMMAND}
        for kind in ORDERED
    },
    ("settings_retrieve", 200): {"settings_partial_update": BASED_ON},
    ("settings_partial_update", 200): {"settings_partial_update": BASED_ON},
    ("notifications_settings_retrieve", 200): {"notifications_settings_partial_update": BASED_ON},
    ("webhooks_create", 201): dict.fromkeys(OF_WEBHOOK, WEBHOOK),
    ("list_webhooks", 200): dict.fromkeys(OF_WEBHOOK[:-1], FIRST_WEBHOOK),
    ("list_notifications", 200): {
        "notifications_retrieve": FIRST_NOTICE,
        "notifications_partial_update": FIRST_NOTICE,
        "notifications_acknowledge_create": FIRST_NOTICE,
    },
    ("notifications_retrieve", 200): {"notifications_partial_update": NOTICE},
    ("status_retrieve", 200): {"tenants_retrieve": {"tenant_id": "$response.body#/tenant"}},
    ("decisions_retrieve", 200): {
        "decisions_bars_retrieve": {"decision_id": "$response.body#/decision"}
    },
    ("list_decisions", 200): {
        "decisions_retrieve": {"decision_id": "$response.body#/items/0/decision"}
    },
}  # fmt: skip


def publish_links(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: write them into the schema.

    Raises:
        KeyError: an operation or answer that the schema does not have.
    """
    made = {
        told["operationId"]: told["responses"]
        for methods in result["paths"].values()
        for told in methods.values()
    }
    for (source, code), targets in LINKS.items():
        made[source][str(code)]["links"] = {
            target: {"operationId": target, "parameters": dict(parameters)}
            for target, parameters in targets.items()
        }
    return result
