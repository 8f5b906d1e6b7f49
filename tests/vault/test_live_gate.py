"""Real orders at a real venue: refused until everything is on record; play money needs a key alone."""

from datetime import timedelta
from typing import Any

import pytest

from tenants import operations as tenant_operations
from tenants.models import AuditEntry, ExchangeAccount
from tenants.scoping import tenant_scope
from tests.apps.trading import rows
from tests.factories import NOW, EngineRows, make_engine, make_instrument
from tests.vault.conftest import OTHER_KEY, OTHER_SECRET, Kept
from trading import operations
from trading.models import BacktestRun, Bot, BotRevision, Engine
from trading.wiring.plans import CannotRun, read_plan

ASKED = {"timeframe": "1m", "pairs": ["ETH/USD", "BTC/USD"]}
LATER = NOW + timedelta(days=15)


class Street:
    """A Kraken account with one bot whose engine stands still."""

    def __init__(self, engine: EngineRows) -> None:
        self.engine = engine
        self.kept = Kept(engine.tenant_id, engine.account_id)
        with tenant_scope(engine.tenant_id):
            Engine.objects.update(desired="STOPPED")
            revision = Bot.objects.get().active_revision
        assert revision is not None
        self.revision: BotRevision = revision

    def check_key(self, *, state: str = "GOOD", detail: str = "", now: Any = LATER) -> None:
        row = self.kept.row()
        with tenant_scope(self.engine.tenant_id):
            tenant_operations.note_check(
                credential_id=row.id, version=row.version, state=state, detail=detail,
                rights=[], now=now,
            )  # fmt: skip

    def pass_backtest(self, *, level: str = "some", **changed: Any) -> None:
        with tenant_scope(self.engine.tenant_id):
            BacktestRun.objects.create(
                **{
                    "tenant_id": self.engine.tenant_id, "number": BacktestRun.objects.count() + 1,
                    "kind": "BACKTEST", "status": "DONE", "request": ASKED, "result": b"x",
                    "params_hash": self.revision.params_hash, "created_at": NOW,
                    "finished_at": NOW, "facts": {"verdict": {"level": level}}, **changed,
                }
            )  # fmt: skip

    def trade_on_paper(self, *, fills: int = 10) -> None:
        for number in range(1, fills + 1):
            rows.write_fill(self.engine, number=number, at=NOW + timedelta(days=number / 10))

    def go_live(self, *, override: str = "") -> None:
        with tenant_scope(self.engine.tenant_id):
            operations.switch_mode(
                account_id=self.engine.account_id, mode="LIVE", override=override, actor=None,
                now=LATER,
            )  # fmt: skip

    def refusal(self) -> str:
        with pytest.raises(operations.ModeRefused) as refused:
            self.go_live()
        with tenant_scope(self.engine.tenant_id):
            assert ExchangeAccount.objects.get().mode == "PAPER"
        return str(refused.value)

    def audit(self) -> dict[str, Any]:
        with tenant_scope(self.engine.tenant_id):
            return AuditEntry.objects.get(action="account.mode").after


@pytest.fixture
def street(db, settings) -> Street:
    settings.ALLOW_LIVE = True
    made = Street(make_engine("acme", make_instrument("kraken"), venue="kraken"))
    made.kept.seal()
    return made


def test_with_everything_on_record_it_goes_live(street: Street) -> None:
    street.check_key()
    street.pass_backtest()
    street.trade_on_paper()

    street.go_live()

    assert street.audit() == {
        "mode": "LIVE", "account": str(street.engine.account_id), "override": "", "missing": [],
        "evidence": ["Bot r1: backtest 1, 14 days and 10 fills on paper"],
    }  # fmt: skip
    plan = read_plan(tenant_id=str(street.engine.tenant_id), engine_id=str(street.engine.engine_id))
    assert plan.account.mode == "LIVE"


def test_the_operator_of_the_installation_must_allow_it(street: Street, settings) -> None:
    street.check_key()
    street.pass_backtest()
    street.trade_on_paper()
    street.go_live()
    settings.ALLOW_LIVE = False

    with pytest.raises(CannotRun, match="NOVA_ALLOW_LIVE=yes"):
        read_plan(tenant_id=str(street.engine.tenant_id), engine_id=str(street.engine.engine_id))
    with tenant_scope(street.engine.tenant_id):
        ExchangeAccount.objects.update(mode="PAPER")
    assert "NOVA_ALLOW_LIVE=yes" in street.refusal()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "its key is not known to be good (not checked yet)"),
        ({"state": "BAD", "detail": "the key may withdraw"}, "the key may withdraw"),
        ({"now": LATER - timedelta(hours=49)}, "was not checked in the last 48 hours"),
    ],
)
def test_no_reason_overrides_a_key_that_is_not_known_to_be_good(
    street: Street, given: dict[str, Any] | None, words: str
) -> None:
    street.pass_backtest()
    street.trade_on_paper()
    if given is not None:
        street.check_key(**given)

    assert words in street.refusal()
    with pytest.raises(operations.ModeRefused):
        street.go_live(override="I know better")


@pytest.mark.parametrize(
    "passed",
    [
        {"level": "none"},
        {"level": "against"},
        {"level": "unknown"},
        {"params_hash": "0" * 64},
        {"request": {"timeframe": "1h", "pairs": ["BTC/USD"]}},
        {"request": {"timeframe": "1m", "pairs": ["ETH/USD"]}},
        {"kind": "SWEEP"},
        {"status": "FAILED"},
    ],
)
def test_a_backtest_that_proves_nothing_of_this_bot_does_not_count(
    street: Street, passed: dict[str, Any]
) -> None:
    street.check_key()
    street.trade_on_paper()
    street.pass_backtest(**passed)

    assert "Bot r1 has no backtest that luck does not explain" in street.refusal()


@pytest.mark.parametrize("fills", [0, 9])
def test_a_short_time_on_paper_does_not_count(street: Street, fills: int) -> None:
    street.check_key()
    street.pass_backtest()
    street.trade_on_paper(fills=fills)

    assert f"of 14 days and {fills} of 10 fills on paper" in street.refusal()


def test_an_owners_reason_overrides_missing_evidence_and_stands_in_the_log(street: Street) -> None:
    street.check_key()
    assert "an owner may override this with a reason" in street.refusal()

    street.go_live(override="tested elsewhere for a year")

    told = street.audit()
    assert told["override"] == "tested elsewhere for a year"
    assert len(told["missing"]) == 2
    assert told["evidence"] == ["Bot r1: no backtest, 0 days and 0 fills on paper"]


@pytest.mark.parametrize("reason", ["", "because", "   because   "])
def test_a_reason_that_says_nothing_overrides_nothing(street: Street, reason: str) -> None:
    street.check_key()

    with pytest.raises(operations.ModeRefused, match="a reason of at least 10 characters"):
        street.go_live(override=reason)


def test_what_filled_for_real_money_is_no_time_on_paper(street: Street) -> None:
    street.check_key(now=NOW)
    street.pass_backtest()
    with tenant_scope(street.engine.tenant_id):
        for mode, day in (("LIVE", 1), ("PAPER", 3)):
            operations.switch_mode(
                account_id=street.engine.account_id, mode=mode, override="tested elsewhere",
                actor=None, now=NOW + timedelta(days=day),
            )  # fmt: skip
    for number in range(1, 11):
        rows.write_fill(street.engine, number=number, at=NOW + timedelta(days=1, hours=number))
    street.check_key()

    assert "has 0 of 14 days and 0 of 10 fills on paper" in street.refusal()


def test_play_money_needs_a_key_that_is_not_known_to_be_bad(street: Street, settings) -> None:
    settings.ALLOW_LIVE = False
    with tenant_scope(street.engine.tenant_id):
        ExchangeAccount.objects.update(venue="simulator")
    street.check_key(state="BAD", detail="the key lacks modify-trades")
    assert "the key lacks modify-trades" in street.refusal()

    street.kept.seal(OTHER_KEY, OTHER_SECRET)
    street.go_live()

    assert street.audit()["mode"] == "LIVE"


def test_a_mode_that_is_none_is_refused(street: Street) -> None:
    with tenant_scope(street.engine.tenant_id), pytest.raises(operations.ModeRefused) as refused:
        operations.switch_mode(
            account_id=street.engine.account_id, mode="DREAM", override="", actor=None, now=LATER
        )

    assert str(refused.value) == "mode: 'DREAM', accepted is PAPER, LIVE"


async def test_paper_after_live_begins_with_an_empty_book() -> None:
    from tests.engine.fakes import spec
    from trading.core.config.profiles import PROFILES
    from trading.exchanges.paper import PaperVenue

    venue = PaperVenue(feed=None, specs=[spec()], params=[PROFILES["active"]])
    before = venue.snapshot()

    venue.restore(b"")

    assert venue.snapshot() == before
