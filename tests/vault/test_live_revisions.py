"""New parameters of a bot that trades real money: with proof, by an owner's reason, or not at all."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tenants.models import AuditEntry, Membership, User
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from tests.apps.step_up import step_up
from tests.apps.trading.conftest import signed_in
from tests.vault.test_live_gate import LATER, Street, street
from trading import operations
from trading.core.config.profiles import PROFILES
from trading.core.params import to_mapping
from trading.models import Bot, BotRevision, RevisionWait
from trading.queries.bots import whole_params

__all__ = ["street"]

Change = dict[str, dict[str, Any]]
OTHER_SCORE: Change = {"confluence": {"min_score": 0.9}}
TIGHTER: Change = {"risk": {"max_open_positions": 1}}
LOOSER: Change = {"risk": {"max_open_positions": 9}}


@pytest.fixture
def live(street: Street) -> Street:
    """It proved itself, and trades real money since."""
    street.check_key()
    street.pass_backtest()
    street.trade_on_paper()
    street.go_live()
    return street


def owner_of(street: Street) -> User:
    with tenant_scope(street.engine.tenant_id):
        return Membership.objects.select_related("user").get(role="OWNER").user


def changed(street: Street, change: Change) -> dict[str, Any]:
    params = whole_params(street.revision.params)
    for group, values in change.items():
        params[group] |= values
    return params


def ask(street: Street, change: Change, *, now: Any = LATER) -> RevisionWait | None:
    with tenant_scope(street.engine.tenant_id):
        bot = Bot.objects.select_related("active_revision").get()
        assert bot.active_revision is not None
        return operations.change_bot(
            bot_id=bot.id,
            based_on=bot.active_revision.number,
            params=changed(street, change),
            asker=operations.Asker(owner_of(street), may_loosen=True),
            now=now,
        )


def put_in_force(street: Street, *, override: str = "", now: Any = LATER) -> None:
    with tenant_scope(street.engine.tenant_id):
        operations.put_in_force(
            bot_id=Bot.objects.get().id, override=override, actor=owner_of(street), now=now
        )


def refusal(street: Street, **given: Any) -> str:
    with pytest.raises(operations.RevisionRefused) as refused:
        put_in_force(street, **given)
    assert active(street) == 1
    return str(refused.value)


def active(street: Street) -> int:
    with tenant_scope(street.engine.tenant_id):
        return Bot.objects.select_related("active_revision").get().active_revision.number


def newest(street: Street) -> BotRevision:
    with tenant_scope(street.engine.tenant_id):
        return BotRevision.objects.order_by("-number")[0]


def test_another_score_waits_for_a_backtest_of_exactly_it(live: Street) -> None:
    assert ask(live, OTHER_SCORE) is not None

    assert "Bot r2 has no backtest that luck does not explain" in refusal(live)
    assert "on paper" not in refusal(live)  # the same strategies have been, before it went live
    live.pass_backtest(params_hash=newest(live).params_hash)
    put_in_force(live)

    assert active(live) == 2
    with tenant_scope(live.engine.tenant_id):
        assert not AuditEntry.objects.filter(action="bot.override_proof").exists()


def test_what_was_proven_before_is_in_force_at_once(live: Street) -> None:
    ask(live, OTHER_SCORE)
    live.pass_backtest(params_hash=newest(live).params_hash)

    assert ask(live, OTHER_SCORE) is None

    assert active(live) == 3


def test_tighter_limits_need_no_proof(live: Street) -> None:
    assert ask(live, TIGHTER) is None

    assert active(live) == 2


def test_a_looser_limit_waits_for_its_day_and_for_proof(live: Street) -> None:
    ask(live, LOOSER)

    assert "It waits until" in refusal(live, override="tested elsewhere for a year")
    a_day_later = LATER + timedelta(hours=25)
    assert "has no backtest" in refusal(live, now=a_day_later)
    put_in_force(live, override="tested elsewhere for a year", now=a_day_later)

    assert active(live) == 2


def test_a_tighter_limit_beside_another_parameter_needs_proof(live: Street) -> None:
    assert ask(live, {**TIGHTER, **OTHER_SCORE}) is not None

    assert active(live) == 1


def test_a_strategy_that_never_was_on_paper_needs_its_time_there(live: Street) -> None:
    voting = changed(live, {})["strategies"]
    silent = next(name for name, one in voting.items() if one["weight"] == 0)
    ask(live, {"strategies": {silent: {**voting[silent], "weight": 1.0}}})
    live.pass_backtest(params_hash=newest(live).params_hash)

    assert "0 of 10 fills on paper, by the bot that has traded its strategies longest" in refusal(
        live
    )


def test_days_of_real_money_are_no_days_on_paper(street: Street) -> None:
    street.check_key()
    for number in range(10):
        rows_of_paper(street, number)
    with tenant_scope(street.engine.tenant_id):
        operations.switch_mode(
            account_id=street.engine.account_id, mode="LIVE", override="tested elsewhere",
            actor=None, now=LATER,
        )  # fmt: skip
    ask(street, OTHER_SCORE, now=LATER + timedelta(days=30))
    street.pass_backtest(params_hash=newest(street).params_hash)

    assert "1 of 14 days and 10 of 10 fills on paper" in refusal(
        street, now=LATER + timedelta(days=30)
    )


def rows_of_paper(street: Street, number: int) -> None:
    from tests.apps.trading import rows

    rows.write_fill(street.engine, number=number + 1, at=LATER - timedelta(days=1, hours=1))


@pytest.mark.parametrize("reason", ["", "because", "   because   "])
def test_a_reason_that_says_nothing_puts_nothing_in_force(live: Street, reason: str) -> None:
    ask(live, OTHER_SCORE)

    assert "a reason of at least 10 characters" in refusal(live, override=reason)


def test_an_owners_reason_stands_in_the_log_with_what_was_missing(live: Street) -> None:
    ask(live, OTHER_SCORE)

    put_in_force(live, override="  the venue changed its fees ")

    assert active(live) == 2
    with tenant_scope(live.engine.tenant_id):
        told = AuditEntry.objects.get(action="bot.override_proof")
    assert told.actor == owner_of(live)
    assert told.after["override"] == "the venue changed its fees"
    assert len(told.after["missing"]) == 1


def test_on_paper_nothing_waits_for_proof(street: Street) -> None:
    assert ask(street, OTHER_SCORE) is None


def test_the_pages_say_so_before_and_after(live: Street) -> None:
    owner = owner_of(live)
    client = step_up(signed_in(owner), owner)
    with tenant_scope(live.engine.tenant_id):
        bot = Bot.objects.get()

    assert "This bot trades real money." in page(client, f"/bots/{bot.id}/edit/")
    ask(live, OTHER_SCORE, now=timezone.now())
    shown = page(client, f"/bots/{bot.id}/")
    assert "Revision 2 waits." in shown
    assert "Bot r2 has no backtest" in shown
    client.post(f"/bots/{bot.id}/put-in-force/", {"override": "short"})
    assert active(live) == 1
    client.post(f"/bots/{bot.id}/put-in-force/", {"override": "the venue changed its fees"})
    assert active(live) == 2


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_api_answers_with_what_is_missing(live: Street) -> None:
    owner = owner_of(live)
    client = step_up(signed_in(owner), owner)
    with tenant_scope(live.engine.tenant_id):
        bot = Bot.objects.get()

    answer = post(
        client, f"/bots/{bot.id}/revisions",
        {"params": {"confluence.min_score": 0.9}}, **{"If-Match": '"r1"'},
    )  # fmt: skip

    assert answer.status_code == 202
    told = answer.json()
    assert (told["is_active"], told["wait"]["loosens"]) == (False, [])
    assert any("Bot r2 has no backtest" in words for words in told["wait"]["missing"])
    assert active(live) == 1


def test_a_revision_is_backtested_as_it_trades(live: Street) -> None:
    from trading.forms import BacktestForm

    ask(live, OTHER_SCORE)
    revision = newest(live)

    form = BacktestForm(series=[], revision=revision)

    assert '<option value="revision">Bot r2</option>' in str(form["profile"])
    assert to_mapping(form._params["revision"]) == changed(live, OTHER_SCORE)
    assert form._params["revision"] != PROFILES["active"]
