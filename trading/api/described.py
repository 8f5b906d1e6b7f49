"""What a stranger needs of the published schema: the meaning of each name, and a body to begin with."""

from collections.abc import Iterator, Mapping
from typing import Any

from trading.api.glossary import FIELDS
from trading.api.senses import FIELDS as OF_ONE_SCHEMA

MILLISECONDS = "the same moment as epoch milliseconds"
PARAMETERS = {
    "account_id": "the exchange account's id: `account` of GET /accounts",
    "bot_id": "the bot's id: `bot` of GET /bots",
    "command_id": "the command's id: `command` of what asked for it",
    "decision_id": "the decision's number: `decision` of GET /decisions",
    "engine": "the engine's id: `engine` of GET /status",
    "invitation_id": "the invitation's id: `invitation` of GET /team/invitations",
    "key_id": "the API key's id: `api_key` of GET /keys",
    "kind": "of this kind alone",
    "limit": "how many at most; without: 50",
    "member_id": "the member's number: `member` of GET /team/members",
    "notification_id": "the notification's id: `notification` of GET /notifications",
    "number": "the run's number: `run` of GET /backtest/runs",
    "reason": "of decisions that ended for this reason alone",
    "revision": "the revision's number: `revision` of GET /bots/{bot_id}/revisions",
    "stage": "of decisions that came just so far",
    "tenant_id": "the workspace's id: `tenant` of GET /status",
    "webhook_id": "the webhook's id: `webhook` of GET /webhooks",
    "what": "which book",
}
ACCOUNT = "6f1e0d3c-58a8-4c52-9a53-3f8f0d8f7c11"
ENGINE = "0b7c9a2e-93c1-4f0e-8f0d-5d1f6b1f2a77"
RESEARCH = {"pairs": ["BTC/USD"], "timeframe": "5m", "profile": "balanced"}
SWEEP = {**RESEARCH, "space": ["exits.stop_scale=1,2"]}
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "AccountBody": {"exchange": "synthetic", "label": "Practice", "currency": "USD", "cash": "10000"},
    "BacktestBody": {**RESEARCH, "params": {"exits.stop_scale": 3}},
    "BotBody": {"account": ACCOUNT, "name": "First", "pairs": ["BTC/USD"], "timeframe": "5m"},
    "ControlBody": {"reason": "news"},
    "FavoriteBody": {"pair": "BTC/USD"},
    "KeyBody": {"key": "as the venue shows it", "secret": "as the venue shows it"},
    "InvitationBody": {"email": "new@example.org", "role": "VIEWER"},
    "IssueBody": {"label": "Watchdog", "scope": "read", "days": 90},
    "LookaheadBody": {**RESEARCH, "probes": 20},
    "ModeBody": {"mode": "PAPER"},
    "OverrideBody": {"override": "tested elsewhere for a year"},
    "PatchedMarkBody": {"read": True},
    "PatchedNameBody": {"label": "Renamed"},
    "PatchedRoleBody": {"role": "TRADER"},
    "PatchedSettingsBody": {"paper_cash": "2500"},
    "PatchedWishesBody": {"time_zone": "Europe/Berlin", "quiet_from": "22:00", "quiet_until": "07:00"},
    "ProtectionBody": {"protection": "STOPS"},
    "ResetBody": {"account": ACCOUNT, "cash": "2500"},
    "RevisionBody": {"params": {"risk.max_open_positions": 2}},
    "SearchBody": SWEEP,
    "TierBody": {"tier": "PRO"},
    "WalkBody": {**SWEEP, "train_days": 2, "test_days": 1},
    "WishBody": {"engine": ENGINE},
    "WebhookBody": {"url": "https://example.com/novapulse", "kinds": ["ALERT", "HOLD"]},
}  # fmt: skip


def describe(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: what a serializer or a route does not say itself."""
    schemas = result["components"]["schemas"]
    for schema, one in schemas.items():
        for name, told in one.get("properties", {}).items():
            if meaning := _meaning(schema, name):
                told.setdefault("description", meaning)
        if schema in EXAMPLES:
            one["examples"] = [EXAMPLES[schema]]
    for parameter in _parameters(result):
        if parameter["name"] in PARAMETERS:
            parameter.setdefault("description", PARAMETERS[parameter["name"]])
    return result


def _meaning(schema: str, name: str) -> str | None:
    if name.endswith("_ms") and name not in FIELDS:
        return MILLISECONDS
    return OF_ONE_SCHEMA.get(f"{schema}.{name}", FIELDS.get(name))


def _parameters(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in result["paths"].values():
        for operation in methods.values():
            yield from operation.get("parameters", ())
