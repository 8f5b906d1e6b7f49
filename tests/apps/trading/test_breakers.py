"""Breakers as rows: the alert beside the hold, orders of others, and who sees them."""

from datetime import timedelta
from decimal import Decimal

from tenants.scoping import tenant_scope
from tests.apps.trading.conftest import People, signed_in
from tests.apps.trading.test_doctor import beat, examined
from tests.factories import NOW
from trading import operations
from trading.engine.batches import HoldChange
from trading.engine.sights import Stranger
from trading.ledger.breakers import change_hold, note_strangers
from trading.models import Alert, Engine, ForeignOrder, Hold

MINE = Stranger("V1", "BTC/USD", "SELL", Decimal("0.5"))
DRIFT = HoldChange("BREAKER", "drift:USD", "USD: our books need 2, the account has 1", open=True)
LIFT = HoldChange("BREAKER", "drift:USD", "", open=False)
PAUSE = HoldChange("OPERATOR", "operator", "news", open=True)


def write(people: People, change: HoldChange) -> None:
    engine = people.engine
    with tenant_scope(engine.tenant_id):
        change_hold(
            tenant_id=str(engine.tenant_id), engine_id=str(engine.engine_id), change=change, now=NOW
        )


def see(people: People, *seen: Stranger, minutes: int = 0) -> None:
    engine = people.engine
    with tenant_scope(engine.tenant_id):
        note_strangers(
            tenant_id=str(engine.tenant_id),
            engine_id=str(engine.engine_id),
            seen=seen,
            now=NOW + timedelta(minutes=minutes),
        )


def test_a_breaker_is_a_hold_with_an_alert_and_a_pause_has_none(people: People) -> None:
    write(people, PAUSE)
    write(people, DRIFT)

    with tenant_scope(people.engine.tenant_id):
        assert Hold.objects.filter(cleared_at=None).count() == 2
        assert [(a.cause, a.words) for a in Alert.objects.all()] == [(DRIFT.cause, DRIFT.reason)]


def test_lifting_a_breaker_leaves_the_other_holds_and_the_alert(people: People) -> None:
    for change in (PAUSE, DRIFT, LIFT):
        write(people, change)

    with tenant_scope(people.engine.tenant_id):
        assert [h.cause for h in Hold.objects.filter(cleared_at=None)] == ["operator"]
        assert Alert.objects.count() == 1


def test_an_order_of_others_is_one_row_from_its_first_look_to_its_last(people: People) -> None:
    see(people, MINE)
    see(people, MINE, minutes=1)
    see(people, minutes=2)

    with tenant_scope(people.engine.tenant_id):
        (row,) = ForeignOrder.objects.all()
    assert (row.first_seen_at, row.last_seen_at) == (NOW, NOW + timedelta(minutes=1))
    assert row.gone_at == NOW + timedelta(minutes=2)

    see(people, MINE, minutes=3)
    with tenant_scope(people.engine.tenant_id):
        assert ForeignOrder.objects.get().gone_at is None


def test_page_and_doctor_show_orders_of_others_and_what_lifts_a_drift(people: People) -> None:
    beat(people)
    write(people, DRIFT)
    see(people, MINE)

    page = signed_in(people.vera).get(f"/?engine={people.engine.engine_id}", follow=True)
    shown = page.content.decode()
    _, told = examined()

    assert "our books need 2, the account has 1" in shown
    assert "A look at the account that agrees with our books lifts it." in shown
    assert "SELL 0.5 BTC/USD (V1)" in shown
    assert told["foreign order"][0][0] == "warn"
    assert "SELL 0.5 BTC/USD (V1) is not ours" in told["foreign order"][0][1]


def test_a_parked_engine_says_so_until_a_person_starts_it(people: People) -> None:
    beat(people)
    engine = people.engine
    with tenant_scope(engine.tenant_id):
        operations.park_engine(engine_id=str(engine.engine_id), words="parked: it crashed", now=NOW)

    code, told = examined()
    with tenant_scope(engine.tenant_id):
        alert = Alert.objects.get()
        operations.start_engine(engine_id=engine.engine_id, actor=people.olga, now=NOW)
        observed = Engine.objects.get().observed

    assert code == 1
    assert told["engine"] == [("fail", "acme: Paper is parked: it crashed")]
    assert (alert.cause, alert.words) == ("crashes", "parked: it crashed")
    assert observed == Engine.Observed.STOPPED
