"""The half of the client that only reads: one method for each thing an installation tells."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypedDict, TypeVar, Unpack
from uuid import UUID

from novapulse_client.base import Page
from novapulse_client.decisions import Decision, Explained, Thought
from novapulse_client.insight import (
    Acknowledged,
    Anomaly,
    AttributedPart,
    Connection,
    Event,
    Executed,
    Execution,
    Favorite,
    Regime,
    Scanned,
    Settings,
    Strategy,
    StrategyResult,
    Workspace,
)
from novapulse_client.ledger import Fill, Order, Position, Trade
from novapulse_client.models import Bot, Command, Revision, Run, Status
from novapulse_client.standing import (
    Account,
    Alert,
    Delivery,
    Notification,
    NotificationSettings,
    Webhook,
)
from novapulse_client.team import ApiKey, Invitation, Member
from novapulse_client.wire import Wire

ROWS_AT_ONCE = 200
T = TypeVar("T")


class Wanted(TypedDict, total=False):
    """What a list is narrowed to; ``since`` is included, ``until`` is not."""

    account: UUID | str
    bot: UUID | str
    pair: str
    since: datetime | str
    until: datetime | str


class WantedDecisions(Wanted, total=False):
    """The same, and where a decision ended."""

    stage: str
    reason: str


class WantedPositions(Wanted, total=False):
    """The same; ``state`` is ``open`` or ``closed``."""

    state: str


class WantedResults(Wanted, total=False):
    """The same; ``chapter`` of the account, or ``all``; without: since it last started over."""

    chapter: int | str


class WantedParts(WantedResults, total=False):
    """The same, and ``by`` what they are split: strategy, regime, pair, side, exit_reason, bot."""

    by: str


class WantedEvents(TypedDict, total=False):
    """What events are narrowed to."""

    kind: str
    account: UUID | str
    since: datetime | str
    until: datetime | str


class WantedAlerts(TypedDict, total=False):
    """What alerts are narrowed to."""

    engine: UUID | str
    since: datetime | str
    until: datetime | str


class WantedNotifications(TypedDict, total=False):
    """What an inbox is narrowed to."""

    unread: bool
    kind: str


class Reader:
    """What can be asked; every method raises ``NovaPulseError`` when it is refused."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def status(self) -> Status:
        """Engines, holds, positions and equity."""
        return self._wire.get("/status", Status)

    def decisions(self, **wanted: Unpack[WantedDecisions]) -> Iterator[Decision]:
        """Decisions, newest first, also those that were no."""
        return self._list("/decisions", Page[Decision], wanted)

    def decision(self, number: int) -> Explained:
        """One decision gate by gate."""
        return self._wire.get(f"/decisions/{number}", Explained)

    def thoughts(self, **wanted: Unpack[WantedDecisions]) -> Iterator[Thought]:
        """What was thought on each bar, newest first."""
        return self._list("/thoughts", Page[Thought], wanted)

    def orders(self, **wanted: Unpack[Wanted]) -> Iterator[Order]:
        """Orders, newest first."""
        return self._list("/orders", Page[Order], wanted)

    def fills(self, **wanted: Unpack[Wanted]) -> Iterator[Fill]:
        """Fills, newest first."""
        return self._list("/fills", Page[Fill], wanted)

    def positions(self, **wanted: Unpack[WantedPositions]) -> Iterator[Position]:
        """Positions, open and closed, the newest opened first."""
        return self._list("/positions", Page[Position], wanted)

    def trades(self, **wanted: Unpack[Wanted]) -> Iterator[Trade]:
        """Round trips, the newest closed first."""
        return self._list("/trades", Page[Trade], wanted)

    def bots(self) -> list[Bot]:
        """Every bot."""
        return list(self._list("/bots", Page[Bot], {}))

    def revisions(self, bot: UUID | str) -> Iterator[Revision]:
        """A bot's revisions, newest first."""
        return self._list(f"/bots/{bot}/revisions", Page[Revision], {})

    def command(self, command: UUID | str) -> Command:
        """What became of a command."""
        return self._wire.get(f"/commands/{command}", Command)

    def run(self, number: int) -> Run:
        """How far a run of research is."""
        return self._wire.get(f"/backtest/runs/{number}", Run)

    def result(self, number: int) -> dict[str, Any]:
        """The whole result of a run, trades included."""
        return self._wire.get(f"/backtest/runs/{number}/result", dict[str, Any])

    def scanner(self) -> list[Scanned]:
        """The last scan of every market, with the first gate that said no."""
        return self._all("/scanner", Page[Scanned])

    def regime(self) -> list[Regime]:
        """What kind of market each is now."""
        return self._all("/regime", Page[Regime])

    def strategies(self) -> list[Strategy]:
        """Every strategy, and who listens to it."""
        return self._all("/strategies", Page[Strategy])

    def strategy_performance(self, **wanted: Unpack[WantedResults]) -> list[StrategyResult]:
        """What the trades of each strategy made."""
        return self._all("/strategy-performance", Page[StrategyResult], wanted)

    def attribution(self, **wanted: Unpack[WantedParts]) -> list[AttributedPart]:
        """Where closed trades made and lost money."""
        return self._all("/attribution", Page[AttributedPart], wanted)

    def execution(self, **wanted: Unpack[Wanted]) -> list[Execution]:
        """How orders were executed."""
        return self._execution(wanted).items

    def acknowledged(self, **wanted: Unpack[Wanted]) -> list[Acknowledged]:
        """How long venues took to acknowledge orders, p50 and p95 of the newest."""
        return self._execution(wanted).acknowledged

    def events(self, **wanted: Unpack[WantedEvents]) -> Iterator[Event]:
        """What happened, newest first."""
        return self._list("/events", Page[Event], wanted)

    def anomalies(self) -> list[Anomaly]:
        """What a person must look at, the worst first."""
        return self._all("/anomalies", Page[Anomaly])

    def exchanges(self) -> list[Connection]:
        """How each account stands to its venue."""
        return self._all("/integrations/exchanges", Page[Connection])

    def accounts(self) -> list[Account]:
        """Every account: its key, holds, tier and what guards it."""
        return self._all("/accounts", Page[Account])

    def account(self, account: UUID | str) -> Account:
        """One account."""
        return self._wire.get(f"/accounts/{account}", Account)

    def alerts(self, **wanted: Unpack[WantedAlerts]) -> Iterator[Alert]:
        """Breakers that tripped, newest first."""
        return self._list("/alerts", Page[Alert], wanted)

    def notifications(self, **wanted: Unpack[WantedNotifications]) -> Iterator[Notification]:
        """Your inbox, newest first."""
        return self._list("/notifications", Page[Notification], wanted)

    def notification_settings(self) -> NotificationSettings:
        """What you want to be told."""
        return self._wire.get("/notifications/settings", NotificationSettings)

    def webhooks(self) -> list[Webhook]:
        """The workspace's own addresses that are told; needs scope ``admin``."""
        return self._all("/webhooks", Page[Webhook])

    def webhook(self, webhook: UUID | str) -> Webhook:
        """One of them; needs scope ``admin``."""
        return self._wire.get(f"/webhooks/{webhook}", Webhook)

    def deliveries(self, webhook: UUID | str) -> Iterator[Delivery]:
        """What was and is on its way to it, what happened last first; needs scope ``admin``."""
        return self._list(f"/webhooks/{webhook}/deliveries", Page[Delivery], {})

    def settings(self) -> Settings:
        """What the workspace is set to."""
        return self._wire.get("/settings", Settings)

    def favorites(self) -> list[Favorite]:
        """The pairs you marked."""
        return self._all("/favorites", Page[Favorite])

    def workspace(self, tenant: UUID | str) -> Workspace:
        """Your own workspace; needs scope ``admin``."""
        return self._wire.get(f"/tenants/{tenant}", Workspace)

    def members(self) -> list[Member]:
        """Everybody of the workspace, the oldest first."""
        return self._all("/team/members", Page[Member])

    def invitations(self) -> list[Invitation]:
        """Those nobody has answered yet; needs scope ``admin``."""
        return self._all("/team/invitations", Page[Invitation])

    def api_keys(self) -> list[ApiKey]:
        """Every API key, also revoked ones, the newest first; needs scope ``admin``."""
        return self._all("/keys", Page[ApiKey])

    def _execution(self, wanted: Mapping[str, Any]) -> Executed:
        return self._wire.get("/execution", Executed, _query(wanted))

    def _all(
        self, path: str, page: type[Page[T]], wanted: Mapping[str, Any] | None = None
    ) -> list[T]:
        return self._wire.get(path, page, _query(wanted or {})).items

    def _list(self, path: str, page: type[Page[T]], wanted: Mapping[str, Any]) -> Iterator[T]:
        query = {"limit": str(ROWS_AT_ONCE), **_query(wanted)}
        while True:
            found = self._wire.get(path, page, query)
            yield from found.items
            if found.next is None:
                return
            query["cursor"] = found.next


def _query(wanted: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(name, value) for name, value in wanted.items()}


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, datetime):
        return str(value)
    if value.tzinfo is None:
        raise ValueError(f"{name}: a datetime with a time zone, was {value.isoformat()}")
    return value.isoformat()
