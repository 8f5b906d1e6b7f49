"""What trading's rows are told of: once each, and over when their cause is gone."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tenants.models import Delivery, Notice, Notification
from tenants.notifications import choosing
from tenants.notifications.acts import tell_acts
from tenants.notifications.delivering import REPEAT_EVERY, deliver_due, repeat_unacknowledged
from tenants.scoping import tenant_scope
from tests.apps.tenants.notices import eager  # noqa: F401 - a fixture
from tests.apps.trading import rows
from tests.apps.trading.conftest import People
from tests.factories import NOW
from trading import operations
from trading.models import Alert, Bot, Engine, Hold, Position
from trading.queries.bots import whole_params
from trading.tasks import tell_day, tell_news

LATER = NOW + timedelta(minutes=5)


def tell(people: People, now: datetime = NOW) -> int:
    with tenant_scope(people.engine.tenant_id):
        return operations.tell_news(tenant_id=people.engine.tenant_id, now=now)


def titles(people: People, kind: str) -> list[str]:
    with tenant_scope(people.engine.tenant_id):
        found = Notice.objects.filter(kind=kind).order_by("happened_at", "title")
        return list(found.values_list("title", flat=True))


def change_engine(people: People, **values: object) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.filter(id=people.engine.engine_id).update(**values)


@pytest.fixture
def quiet(people: People) -> People:
    """What making the workspace was worth is told already."""
    tell(people)
    return people


def test_an_alert_is_told_once_with_its_words(quiet: People) -> None:
    rows.write_alert(quiet.engine)

    assert [tell(quiet), tell(quiet)] == [1, 0]
    assert titles(quiet, "ALERT") == ["Paper: silence"]
    with tenant_scope(quiet.engine.tenant_id):
        notice = Notice.objects.get(kind="ALERT")
        assert (notice.words, notice.severity) == ("Kraken is silent", 30)
        assert notice.path == f"/engines/{quiet.engine.engine_id}/"


def test_a_breaker_that_lifts_is_told_and_ends_its_reminders(quiet: People, mailoutbox) -> None:
    alert = rows.write_alert(quiet.engine)
    tenant_id = quiet.engine.tenant_id
    with tenant_scope(tenant_id):
        hold = Hold.objects.create(
            tenant_id=tenant_id, engine_id=quiet.engine.engine_id, kind="BREAKER",
            cause=alert.cause, reason=alert.words, placed_at=alert.raised_at,
        )  # fmt: skip
    tell(quiet)
    deliver_due(tenant_id=tenant_id, clock=lambda: NOW)
    with tenant_scope(tenant_id):
        Hold.objects.filter(id=hold.id).update(cleared_at=LATER)
    tell(quiet, LATER)

    assert titles(quiet, "HOLD") == ["Paper: hold lifted: silence"]
    with tenant_scope(tenant_id):
        assert Notice.objects.get(kind="ALERT").over_at == LATER
        assert repeat_unacknowledged(now=NOW + REPEAT_EVERY) == 0
    assert "NovaPulse: Paper: silence" in [letter.subject for letter in mailoutbox]


def test_another_hold_is_told_when_placed_and_when_lifted(quiet: People) -> None:
    hold = rows.write_hold(quiet.engine)
    tell(quiet)
    with tenant_scope(quiet.engine.tenant_id):
        Hold.objects.filter(id=hold.id).update(cleared_at=LATER)
    tell(quiet, LATER)

    assert titles(quiet, "HOLD") == ["Paper: entries on hold: pause", "Paper: hold lifted: pause"]


@pytest.mark.parametrize(("state", "word"), [("SILENT", "silent"), ("FAILED", "failed")])
def test_an_engine_that_should_run_and_does_not_is_told_once_a_fall(
    quiet: People, state: str, word: str
) -> None:
    change_engine(quiet, observed=state, detail="no heartbeat", epoch=1, heartbeat_at=NOW)
    tell(quiet)
    tell(quiet, LATER)
    change_engine(quiet, observed="RUNNING", epoch=2, heartbeat_at=LATER)
    tell(quiet, LATER)
    with tenant_scope(quiet.engine.tenant_id):
        assert Notice.objects.get(key__startswith="down:").over_at == LATER
    change_engine(quiet, observed=state, heartbeat_at=LATER)
    tell(quiet, LATER)

    assert titles(quiet, "ENGINE").count(f"Paper: the engine is {word}") == 2


def test_an_engine_that_was_stopped_is_not_down(quiet: People) -> None:
    change_engine(quiet, desired="STOPPED", observed="SILENT")

    assert tell(quiet) == 0


def test_another_host_that_leads_is_a_takeover(quiet: People) -> None:
    for epoch, host in ((1, "alpha"), (2, "alpha"), (3, "beta")):
        change_engine(quiet, observed="RUNNING", epoch=epoch, host=host)
        tell(quiet, NOW + timedelta(minutes=epoch))

    assert titles(quiet, "ENGINE") == [
        "Paper: the engine started", "Paper: the engine started", "Paper: the engine moved",
    ]  # fmt: skip
    with tenant_scope(quiet.engine.tenant_id):
        moved = Notice.objects.get(title="Paper: the engine moved")
        assert moved.words == "Epoch 3, taken over from alpha by beta."


def test_a_parked_engine_that_runs_again_ends_its_reminders(quiet: People) -> None:
    with tenant_scope(quiet.engine.tenant_id):
        operations.park_engine(engine_id=str(quiet.engine.engine_id), words="parked", now=NOW)
    tell(quiet)
    change_engine(quiet, observed="RUNNING")
    tell(quiet, LATER)

    with tenant_scope(quiet.engine.tenant_id):
        assert Notice.objects.get(title="Paper: crashes").over_at == LATER


def test_positions_are_told_when_opened_and_when_closed(quiet: People) -> None:
    rows.write_fill(quiet.engine)
    position = rows.write_position(quiet.engine)
    tell(quiet)
    with tenant_scope(quiet.engine.tenant_id):
        Position.objects.filter(id=position.id).update(
            quantity=0, closed_at=LATER, exit_price=1, realized_pnl=Decimal("-12.5"), exit_reason=1
        )
    rows.write_fill(quiet.engine, number=2, at=LATER)
    tell(quiet, LATER)
    tell(quiet, LATER)

    assert titles(quiet, "POSITION") == [
        "Paper: long BTC/USD opened",
        "Paper: long BTC/USD closed, -12.50 USD",
    ]
    assert titles(quiet, "FILL") == []  # nobody asked for them


def test_fills_are_told_to_who_asks_for_them(quiet: People) -> None:
    with tenant_scope(quiet.engine.tenant_id):
        choosing.change_wishes(
            tenant_id=quiet.engine.tenant_id, user_id=quiet.tom.pk,
            changed={"inbox_kinds": frozenset({"FILL"})},
        )  # fmt: skip
    rows.write_fill(quiet.engine)
    tell(quiet)

    (title,) = titles(quiet, "FILL")
    assert title.startswith("Paper: BUY")


def test_what_is_older_than_a_day_is_no_news(quiet: People) -> None:
    rows.write_alert(quiet.engine)
    rows.write_hold(quiet.engine)

    assert tell(quiet, NOW + timedelta(days=1, minutes=1)) == 0


def test_the_day_is_summed_up_once(people: People, monkeypatch) -> None:
    rows.write_fill(people.engine)
    position = rows.write_position(people.engine)
    rows.write_alert(people.engine)
    with tenant_scope(people.engine.tenant_id):
        Position.objects.filter(id=position.id).update(closed_at=NOW, realized_pnl=Decimal("7.25"))
    after = NOW + timedelta(days=1)
    monkeypatch.setattr("trading.tasks.timezone.now", lambda: after)

    assert [tell_day(sent_by="beat"), tell_day()] == [1, 0]
    with tenant_scope(people.engine.tenant_id):
        notice = Notice.objects.get(kind="SUMMARY")
    assert notice.title == f"{NOW:%Y-%m-%d}: +7.25 USD"
    assert notice.words == "fills 1, positions closed 1, still open 0, alerts 1, holds standing 0."


@pytest.mark.usefixtures("eager")
def test_the_beat_tells_every_workspace_and_calls_a_worker(
    people: People, monkeypatch, mailoutbox
) -> None:
    monkeypatch.setattr("trading.tasks.timezone.now", lambda: NOW)
    rows.write_alert(people.engine)

    assert tell_news(sent_by="beat") > 0
    assert [letter.to for letter in mailoutbox if "silence" in letter.subject] == [
        [people.olga.email]
    ]
    assert tell_news() == 0


def test_telling_changes_nothing_an_engine_reads(quiet: People) -> None:
    """A dead channel never touches trading: alerts, holds, engines and positions stay as they were."""
    rows.write_alert(quiet.engine)
    rows.write_hold(quiet.engine)
    rows.write_position(quiet.engine)

    def all_rows() -> list[object]:
        with tenant_scope(quiet.engine.tenant_id):
            return [
                list(one.objects.order_by("id").values()) for one in (Alert, Hold, Engine, Position)
            ]

    before = all_rows()
    tell(quiet)

    assert all_rows() == before
    with tenant_scope(quiet.engine.tenant_id):
        assert Delivery.objects.filter(state="PENDING").exists()


def test_whoever_asks_to_loosen_a_limit_is_told_to_the_owners_alone(quiet: People) -> None:
    tenant_id = quiet.engine.tenant_id
    with tenant_scope(tenant_id):
        bot = Bot.objects.select_related("active_revision").get()
        params = whole_params(bot.active_revision.params)
        params["risk"]["max_open_positions"] += 4
        operations.change_bot(
            bot_id=bot.id,
            based_on=1,
            params=params,
            asker=operations.Asker(quiet.olga, may_loosen=True),
            now=NOW,
        )
        told = [tell_acts(tenant_id=tenant_id, now=LATER) for _ in range(2)]

        notice = Notice.objects.get(title="Looser limits are asked for: bot " + bot.name)
        readers = Notification.objects.filter(notice=notice)
        assert told == [1, 0]
        assert notice.words.startswith(
            f"By {quiet.olga.email}: risk.max_open_positions. Revision 2"
        )
        assert notice.path == "/bots/"
        assert {one.user_id for one in readers} == {quiet.olga.id}
