"""Names of the API that mean something of their own in one schema: ``Schema.name``."""

from trading.api.glossary import one_of
from trading.models import EngineCommand, OrderIntent

FIELDS = {
    "Account.account": "its id: `account` in bodies, `account_id` in addresses",
    "BotBody.account": "id of the exchange account it trades on",
    "ResetBody.account": "id of the paper account that starts over",
    "Status.at": "when this was told",
    "Heartbeat.at": "when this was told",
    "EquityPoint.at": "market time",
    "Bot.bot": "its id: `bot_id` in addresses",
    "WholeBot.bot": "its id: `bot_id` in addresses",
    "Chart.equity": "what the account was worth, oldest first",
    "Parameter.high": "the most it may be",
    "KeyBody.key": "as the venue gave it out",
    "StreamEnvelope.key": "kind:market:engine; market is empty where the kind has none",
    "Command.kind": one_of(*EngineCommand.Kind.values),
    "Hold.kind": "OPERATOR (a person), BREAKER, BILLING, DATA or RISK",
    "AccountRate.limit": "the most the venue allows",
    "Parameter.low": "the least it may be",
    "PatchedMarkBody.read": "true: read; false: to be read again",
    "StreamConfirmation.read": "texts read since the socket opened",
    "ControlBody.reason": "why; it stands in the audit log",
    "StreamPrice.volume": "traded in the last 24 hours, in the base currency; null: not told",
    "StreamPosition.side": "LONG, SHORT, or FLAT: nothing is held",
    "Bot.stage": "PAPER and LIVE as its account's mode; RETIRED: it trades no more",
    "WholeBot.stage": "PAPER and LIVE as its account's mode; RETIRED: it trades no more",
    "Order.state": f"{one_of(*OrderIntent.State.values)}; UNKNOWN: the venue has not said",
    "Problem.status": "the HTTP status",
    "AttributedPart.value": "of what was split by",
    "Status.version": "of this installation",
}
