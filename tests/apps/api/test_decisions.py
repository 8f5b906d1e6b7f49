"""Decisions over the API: why it traded, or not, and what would have let it."""

from datetime import timedelta

from tests.apps.trading import rows
from tests.factories import NOW
from trading.core.codes import Reason, Stage


def test_a_decision_is_told_gate_by_gate_with_what_would_have_let_it_pass(
    people, as_caller
) -> None:
    before = rows.write_decision(people.engine, at=NOW - timedelta(minutes=1))
    row = rows.write_decision(people.engine)
    client = as_caller("vera-read")

    told = client.get(f"/api/v1/decisions/{row.id}").json()

    assert [gate["number"] for gate in told["gates"]] == list(range(1, len(told["gates"]) + 1))
    (refused,) = [gate for gate in told["gates"] if gate["verdict"] == "refused"]
    assert (refused["name"], refused["must"], refused["unit"]) == ("score", "at least", "score")
    assert told["refused_by"] == {key: refused[key] for key in ("name", "value", "limit")}
    assert round(told["smallest_change"]["missing"], 3) == 0.198
    assert (told["close"], told["equity"]) == ("42000", "10000")
    assert (told["earlier"], told["later"]) == (before.id, None)
    assert (told["revision"], told["sequence"], told["hash"]) == (1, 2, "0" * 64)
    assert {vote["strategy"] for vote in told["votes"]} > {"trend"}


def test_decisions_are_narrowed_by_stage_and_reason_and_thoughts_are_their_sentences(
    people, as_caller
) -> None:
    rows.write_decision(people.engine)
    entered = rows.write_decision(
        people.engine, at=NOW + timedelta(minutes=1), stage=Stage.ENTRY, reason=Reason.NONE
    )
    client = as_caller("vera-read")

    newest, older = client.get("/api/v1/thoughts").json()["items"]
    (one,) = client.get("/api/v1/decisions?stage=entry&reason=none").json()["items"]

    assert newest["sentence"] == "Entered: every gate said yes."
    assert older["sentence"] == "The votes were too weak."
    assert newest["bar_opened_at_ms"] - older["bar_opened_at_ms"] == 60_000
    assert (one["decision"], one["stage"], one["bot"]) == (entered.id, "entry", "Bot")
    wrong = client.get("/api/v1/decisions?stage=dreaming").json()
    assert "One of warmup, holding" in wrong["errors"][0]["message"]


def test_a_decision_of_an_earlier_core_keeps_stage_and_reason(people, as_caller) -> None:
    row = rows.write_decision(people.engine, record=b"of another layout")

    told = as_caller("vera-read").get(f"/api/v1/decisions/{row.id}").json()

    assert (told["stage"], told["reason"]) == ("confluence", "score too low")
    assert (told["gates"], told["votes"], told["score"]) == ([], [], None)
