"""The Python client: against a real server, and against one that drops, delays and refuses."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from novapulse_client import Client, NovaPulseError, reader
from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.api.conftest import issue
from tests.apps.trading import rows
from tests.apps.trading.conftest import People
from tests.factories import NOW
from tests.faults.processes import worker_of_research
from tests.pages import served
from tests.research.conftest import fill
from trading.marketdata.store import BarStore
from trading.models import Engine, EngineCommand, Position

PROBLEM = {"type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": "wait"}


@pytest.fixture
def acme(fresh_database, redis_url) -> People:
    """A workspace with one engine, in a database that other processes see."""
    olga = factories.make_user("olga@acme.example")
    tenant = factories.make_tenant("acme", owner=olga)
    engine = factories.make_engine(
        "acme", factories.make_instrument(), venue="synthetic", tenant=tenant
    )
    return People(engine, olga, olga, olga, olga)


@contextmanager
def house(fresh_database, tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    environment = {
        **fresh_database.environment,
        "NOVA_BARS_DIR": str(tmp_path / "bars"),
        "NOVA_ENV": "development",
    }
    with served(environment, log=tmp_path / "daphne.log") as address:
        yield address, environment


def test_it_reads_acts_and_runs_a_backtest_at_a_real_server(
    acme, fresh_database, tmp_path, monkeypatch
) -> None:
    fill(BarStore(tmp_path / "bars"))
    key = issue(acme, "olga", "admin")[1]
    for minute in range(7):
        rows.write_decision(acme.engine, at=NOW + timedelta(minutes=minute))
        rows.write_fill(acme.engine, number=minute + 1, at=NOW + timedelta(minutes=minute))
    rows.write_position(acme.engine)
    monkeypatch.setattr(reader, "ROWS_AT_ONCE", 3)

    with house(fresh_database, tmp_path) as (address, environment), Client(address, key) as nova:
        reads(nova)
        draws(nova, acme)
        changes_a_bot(nova)
        acts(nova, acme)
        changes_the_workspace(nova, acme)
        sees_to_accounts_and_notifications(nova, acme)
        sees_to_webhooks(nova)
        manages_the_team(nova)
        manages_keys(nova, address)
        with worker_of_research(environment):
            backtests(nova)


def reads(nova: Client) -> None:
    (engine,) = nova.status().engines
    assert (engine.equity, engine.positions[0].stop_price) == (Decimal(10_000), Decimal(41_500))
    decisions = list(nova.decisions(pair="BTC/USD"))
    assert [one.bar_opened_at for one in decisions] == [
        NOW + timedelta(minutes=minute) for minute in range(6, -1, -1)
    ]
    refused = decisions[0].refused_by
    assert refused is not None
    whole = nova.decision(decisions[0].decision)
    assert next(gate.name for gate in whole.gates if gate.verdict == "refused") == refused.name
    assert [one.sentence for one in nova.thoughts()] == [one.sentence for one in decisions]
    since = datetime(2026, 1, 5, 12, 3, tzinfo=UTC)
    assert [one.venue_trade_id for one in nova.fills(since=since)] == ["7", "6", "5", "4"]
    assert {one.quantity for one in nova.orders()} == {Decimal("0.05")}
    assert [one.closed_at for one in nova.positions(state="open")] == [None]
    assert list(nova.trades()) == []
    told_of_the_whole(nova)
    with pytest.raises(NovaPulseError) as refusal:
        list(nova.decisions(stage="dreaming"))
    assert (refusal.value.status, refusal.value.errors[0].field) == (400, "stage")


def told_of_the_whole(nova: Client) -> None:
    (scanned,), (regime,) = nova.scanner(), nova.regime()
    assert scanned.refused_by is not None
    assert (scanned.close, scanned.refused_by.name) == (Decimal(42_000), "score")
    assert regime.bar_opened_at == scanned.bar_opened_at == NOW + timedelta(minutes=6)
    strategies = nova.strategies()
    assert [one.strategy for one in nova.strategy_performance()] == [s.name for s in strategies]
    assert nova.attribution(by="side", since=NOW) == []
    (entries,) = nova.execution(pair="BTC/USD")
    assert (entries.purpose, entries.intents, entries.slippage_bps.mean) == ("entry", 7, 0)
    assert nova.acknowledged(pair="ETH/USD") == []
    assert nova.attribution(chapter="all") == nova.attribution()
    kinds = [one.kind for one in nova.events()]
    assert sorted(kinds) == ["position_opened", "revision"]
    assert "protection" in {one.check for one in nova.anomalies()}
    (venue,) = nova.exchanges()
    assert (venue.exchange, venue.connected) == ("synthetic", False)
    assert nova.workspace(nova.status().tenant).slug == "acme"


def draws(nova: Client, acme: People) -> None:
    (account,) = nova.performance(account=acme.engine.account_id, chapter="all").accounts
    assert (account.trades, [one.bot for one in account.bots]) == (0, [nova.bots()[0].name])
    chart = nova.chart(acme.engine.engine_id, strategies=["momentum"])
    assert (chart.pair, chart.price_step, len(chart.scores)) == ("BTC/USD", Decimal("0.1"), 7)
    assert {one.purpose for one in chart.fills} == {"entry"}
    assert chart.indicators is not None
    around = nova.decision_bars(next(nova.decisions()).decision)
    assert (around.pair, around.timeframe) == (chart.pair, chart.timeframe)
    with pytest.raises(NovaPulseError, match="no market 7"):
        nova.chart(acme.engine.engine_id, market=7)


def changes_a_bot(nova: Client) -> None:
    (bot,) = nova.bots()
    tighter = nova.change_bot(bot.bot, {"risk.max_open_positions": 3})
    assert (tighter.revision, tighter.is_active, tighter.wait) == (2, True, None)
    looser = nova.change_bot(bot.bot, {"risk.max_open_positions": 4})
    assert looser.wait is not None
    assert (looser.is_active, looser.wait.loosens) == (False, ["risk.max_open_positions"])
    with pytest.raises(NovaPulseError) as refusal:
        nova.change_bot(bot.bot, {"risk.max_open_positions": 2}, based_on=1)
    assert refusal.value.status == 412
    assert nova.withdraw_revision(bot.bot, 3).wait.outcome == "WITHDRAWN"
    back = nova.revert_bot(bot.bot, 1)
    assert (back.revision, back.is_active) == (4, False)
    assert back.wait is not None
    assert [one.revision for one in nova.revisions(bot.bot)] == [4, 3, 2, 1]


def changes_the_workspace(nova: Client, acme: People) -> None:
    assert nova.change_settings(bot_profile="active", paper_cash="250").version == 1
    assert nova.settings().paper_cash == 250
    with pytest.raises(NovaPulseError) as refusal:
        nova.change_settings(based_on=0, bot_profile="balanced")
    assert refusal.value.status == 412
    assert [one.pair for one in nova.mark_favorite("BTC/USD")] == ["BTC/USD"]
    assert [one.pair for one in nova.favorites()] == ["BTC/USD"]
    assert nova.unmark_favorite("BTC/USD") == []
    with pytest.raises(NovaPulseError, match="stop its engine first"):
        nova.reset_paper(acme.engine.account_id)
    with tenant_scope(acme.engine.tenant_id):
        Engine.objects.update(desired="STOPPED", observed="STOPPED")
        Position.objects.update(quantity=0, closed_at=NOW)
    assert nova.reset_paper(acme.engine.account_id, cash=Decimal("99.5")).cash == Decimal("99.5")


def sees_to_accounts_and_notifications(nova: Client, acme: People) -> None:
    (account,) = nova.accounts()
    assert account == nova.account(acme.engine.account_id)
    assert (account.exchange, account.protection, account.tier) == ("synthetic", "STOPS", "STARTER")
    for choose, other in ((nova.choose_tier, "PRO"), (nova.choose_protection, "SWITCH")):
        assert choose(account.account, getattr(account, choose.__name__[7:])) == account
        with pytest.raises(NovaPulseError, match="Kraken has"):
            choose(account.account, other)
    assert list(nova.alerts(since=NOW)) == []
    before = {one.notification for one in nova.notifications()}
    outcomes = nova.test_alerts()
    assert {(one.channel, one.sent) for one in outcomes} >= {("inbox", True)}
    (told,) = (one for one in nova.notifications(unread=True) if one.notification not in before)
    assert nova.mark_notification(told.notification, read=True).read_at is not None
    assert told.notification not in {one.notification for one in nova.notifications(unread=True)}
    assert nova.mark_notification(told.notification, read=False).read_at is None
    assert nova.mark_all_read() >= 1
    assert list(nova.notifications(unread=True)) == []
    assert nova.acknowledge(told.notification).acknowledged_by == acme.olga.email


def sees_to_webhooks(nova: Client) -> None:
    assert nova.change_notification_settings(time_zone="Europe/Berlin").time_zone == "Europe/Berlin"
    with pytest.raises(NovaPulseError) as refusal:
        nova.change_notification_settings(based_on='"w0"', time_zone="UTC")
    assert (refusal.value.status, nova.notification_settings().quiet_from) == (412, None)
    made = nova.add_webhook("https://nobody.invalid/", kinds=["ALERT"])
    assert made.secret is not None
    assert made.secret not in repr(made)
    assert nova.rotate_webhook(made.webhook).secret not in (None, made.secret)
    assert nova.disable_webhook(made.webhook).disabled_at is not None
    assert nova.test_webhook(made.webhook).reason == "the endpoint is disabled"
    assert nova.enable_webhook(made.webhook).disabled_at is None
    assert list(nova.deliveries(made.webhook)) == []
    assert nova.webhooks() == [nova.webhook(made.webhook)]
    assert nova.remove_webhook(made.webhook).removed_at is not None
    assert nova.webhooks() == []


def manages_the_team(nova: Client) -> None:
    (olga,) = nova.members()
    invited = nova.invite("new@example.org", "TRADER")
    assert (invited.role, invited.state, invited.invited_by) == ("TRADER", "OPEN", olga.email)
    renewed = nova.renew_invitation(invited.invitation)
    assert renewed.expires_at > invited.expires_at
    assert [one.email for one in nova.invitations()] == ["new@example.org"]
    assert nova.revoke_invitation(invited.invitation).state == "REVOKED"
    assert nova.invitations() == []
    with pytest.raises(NovaPulseError, match="No key can do this"):
        nova.invite("boss@example.org", "OWNER")
    for act in (lambda: nova.change_member(olga.member, "VIEWER"), lambda: nova.remove_member(olga.member)):  # fmt: skip
        with pytest.raises(NovaPulseError, match="keeps at least one owner"):
            act()


def manages_keys(nova: Client, address: str) -> None:
    made = nova.issue_key("Watchdog", days=1)
    assert made.secret is not None
    assert made.secret not in repr(made)
    with Client(address, made.secret) as watchdog:
        assert len(watchdog.members()) == 1
        with pytest.raises(NovaPulseError) as refusal:
            watchdog.api_keys()
        assert refusal.value.status == 403
        assert nova.revoke_key(made.api_key).revoked_at is not None
        with pytest.raises(NovaPulseError) as refusal:
            watchdog.status()
        assert refusal.value.status == 401
    assert [one.label for one in nova.api_keys() if one.revoked_at] == ["Watchdog"]


def acts(nova: Client, acme: People) -> None:
    for act in (nova.pause, nova.resume, nova.close_all, nova.kill, nova.revive):
        asked = act(acme.engine.engine_id, reason="news")
        assert nova.command(asked.command) == asked
    with tenant_scope(acme.engine.tenant_id):
        kinds = EngineCommand.objects.order_by("requested_at", "id").values_list("kind", flat=True)
        assert list(kinds) == ["PAUSE", "RESUME", "CLOSE_ALL", "KILL", "REVIVE"]
    assert [nova.stop().desired, nova.start(acme.engine.engine_id).desired] == [
        "STOPPED",
        "RUNNING",
    ]


def backtests(nova: Client) -> None:
    asked = nova.backtest(["BTC/USD"], timeframe="5m", profile="active")
    done = nova.wait_for_run(asked.run, seconds=120, every=0.2)
    assert (done.status, done.error) == ("DONE", "")
    assert nova.result(asked.run)["return"] == done.headline["return"]


Answer = tuple[int, dict[str, str], bytes]
HUNG_UP: Answer = (0, {}, b"")


class Scripted:
    """A server that gives these answers in turn, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str | None, str | None]] = []

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """What answers each request."""
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                self.rfile.read(length)
                key = self.headers.get("Idempotency-Key")
                script.asked.append((self.path, key, self.headers.get("X-API-Key")))
                status, headers, body = script.answers.pop(0)
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def scripted() -> Iterator[Callable[..., tuple[Client, Scripted, list[float]]]]:
    """A client of a scripted server, and how long it slept."""
    servers: list[ThreadingHTTPServer] = []

    def make(*answers: Answer) -> tuple[Client, Scripted, list[float]]:
        script, slept = Scripted(*answers), []
        server = ThreadingHTTPServer(("127.0.0.1", 0), script.handler())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        address = f"http://127.0.0.1:{server.server_port}"
        return Client(address, "np_secret", sleep=slept.append), script, slept

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def told(body: Any, status: int = 200, **headers: str) -> Answer:
    return status, {name.replace("_", "-"): v for name, v in headers.items()}, json.dumps(body).encode()  # fmt: skip


COMMAND = {
    "command": "00000000-0000-0000-0000-000000000001", "kind": "PAUSE", "reason": "", "outcome": "",
    "engine": "00000000-0000-0000-0000-000000000002", "requested_at": "2026-01-05T12:00:00Z",
    "finished_at": None, "of_a_newer_server": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("first", "waits"),
    [
        (HUNG_UP, 1.0),
        (told(PROBLEM, 429, Retry_After="7"), 7.0),
        (told(PROBLEM, 503, Retry_After="0"), 0.0),
        (told(PROBLEM, 429, Retry_After="soon"), 1.0),
    ],
)
def test_a_change_is_sent_once_more_under_the_same_key(
    scripted, first: Answer, waits: float
) -> None:
    nova, script, slept = scripted(first, told(COMMAND, 202))

    assert nova.pause().kind == "PAUSE"

    (before, after) = script.asked
    assert before == after == ("/api/v1/control/pause", before[1], "np_secret")
    assert before[1]
    assert slept == [waits]


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ([HUNG_UP, HUNG_UP], 0, "No answer"),
        ([told(PROBLEM, 429), told(PROBLEM, 429)], 429, "429 Too Many Requests: wait"),
        ([told(PROBLEM, 429, Retry_After="3600")], 429, "wait"),
        ([(502, {}, b"<h1>Bad gateway</h1>")], 502, "Bad gateway"),
        ([(200, {}, b"<h1>Sign in</h1>")], 200, "Not understood"),
        ([told({"version": 1})], 200, "Not understood"),
    ],
)
def test_it_gives_up_in_one_error_that_tells_no_key(
    scripted, answers: list[Answer], status: int, words: str
) -> None:
    nova, script, _ = scripted(*answers)

    with pytest.raises(NovaPulseError) as refusal:
        nova.status()

    assert (refusal.value.status, script.answers) == (status, [])
    assert words in str(refusal.value)
    assert "np_secret" not in f"{refusal.value!r} {nova!r}"


def test_a_refused_change_is_not_sent_again(scripted) -> None:
    nova, script, slept = scripted(told({**PROBLEM, "status": 409, "title": "Conflict"}, 409))

    with pytest.raises(NovaPulseError, match="409 Conflict: wait"):
        nova.resume()

    assert (len(script.asked), slept) == (1, [])


def test_a_time_without_a_zone_is_refused_before_anything_is_sent(scripted) -> None:
    nova, script, _ = scripted()

    with pytest.raises(ValueError, match="since: a datetime with a time zone"):
        list(nova.fills(since=datetime(2026, 1, 5)))

    assert script.asked == []


def test_a_run_that_does_not_end_is_waited_for_no_longer_than_asked(scripted) -> None:
    run = {"run": 1, "kind": "BACKTEST", "status": "RUNNING", "request": {}, "done": 0, "total": 1,
           "trials": 0, "error": "", "headline": {}, "result_sha256": "", "finished_at": None,
           "created_at": "2026-01-05T12:00:00Z"}  # fmt: skip
    nova, _, _ = scripted(told(run))

    with pytest.raises(TimeoutError, match="run 1 is running after 0 s"):
        nova.wait_for_run(1, seconds=0)
