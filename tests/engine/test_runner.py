"""The loop: commands, holds, stops at the venue, outcomes that are not clear."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from tests.core.play import plain
from tests.engine.fakes import MemoryLedger, Street, random_bars
from trading.core import explain
from trading.core.codes import ExitReason, Purpose
from trading.core.config.profiles import PROFILES
from trading.engine.batches import Evidence, Known
from trading.engine.errors import OutcomeUnknown, Refused
from trading.engine.handler import Pace
from trading.engine.messages import BarClosed, Command, OrderRequest
from trading.engine.runner import Outcome

ACTIVE = plain(PROFILES["active"])
EVERY_BAR = Pace(decisions_per_commit=1, seconds_per_commit=0.0, command_poll_seconds=0.0)


def purposes(ledger: MemoryLedger) -> list[Purpose]:
    return [order.purpose for order, _ in ledger.intents.values()]


def run(street: Street) -> Outcome:
    return asyncio.run(street.runner.run())


class CommandAt:
    """A venue that hands a command to the inbox when a chosen bar has been told."""

    def __init__(self, street: Street, commands: dict[int, str]) -> None:
        self.street, self.commands, self.inner = street, commands, street.venue
        street.runner._ports = replace(street.runner._ports, venue=self)

    async def messages(self, *, after_ns):
        bars = 0
        async for message in self.inner.messages(after_ns=after_ns):
            yield message
            if isinstance(message, BarClosed):
                bars += 1
                if bars in self.commands:
                    name = f"{self.commands[bars]}-{bars}"
                    self.street.inbox.commands.append(Command(name, self.commands[bars], ""))
                    while name not in self.street.ledger.outcomes:
                        await asyncio.sleep(0)

    def __getattr__(self, name):
        return getattr(self.inner, name)


def first_entry_bar(bars: np.ndarray) -> int:
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    run(street)
    first = next(o for o, _ in street.ledger.intents.values() if o.purpose == Purpose.ENTRY)
    return int(np.searchsorted(bars["open_ns"], first.at_ns - 1))


def test_a_paused_engine_enters_nothing_and_says_why_in_its_decisions() -> None:
    bars = random_bars(1, 3000)
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    CommandAt(street, {1: "PAUSE"})

    run(street)

    held = [o for o, _ in street.ledger.intents.values() if o.purpose == Purpose.ENTRY]
    reasons = {int(explain.read(r).decision["reason"]) for _, r in street.ledger.decisions}
    assert held == []
    assert 10 in reasons  # Reason.HELD
    assert street.ledger.holds == {("OPERATOR", "operator")}


def test_a_pause_keeps_the_open_position_protected_until_its_stop_or_exit() -> None:
    bars = random_bars(1, 3000)
    entered = first_entry_bar(bars)
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    CommandAt(street, {entered + 3: "PAUSE"})

    run(street)

    assert purposes(street.ledger).count(Purpose.ENTRY) == 1
    assert Purpose.PROTECT in purposes(street.ledger)
    assert int(street.core.markets[0]["position"]["quantity_lots"]) == 0
    assert street.ledger.fills[-1].reason != int(ExitReason.NONE)


def test_pausing_cancels_an_entry_that_has_not_filled_yet() -> None:
    bars = random_bars(1, 3000)
    entered = first_entry_bar(bars)
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    CommandAt(street, {entered: "PAUSE"})

    run(street)

    assert street.ledger.fills == []
    assert [state for _, state in street.ledger.intents.values()] == ["DONE"]
    assert int(street.core.account[0]["open_positions"]) == 0


def test_resuming_lifts_the_hold_and_entries_follow() -> None:
    bars = random_bars(1, 3000)
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    CommandAt(street, {1: "PAUSE", 800: "RESUME"})

    run(street)

    entries = [o for o, _ in street.ledger.intents.values() if o.purpose == Purpose.ENTRY]
    assert entries
    assert min(o.at_ns for o in entries) > int(bars["open_ns"][799])
    assert street.ledger.holds == set()


def test_close_all_exits_at_the_next_price_and_pauses() -> None:
    bars = random_bars(1, 3000)
    entered = first_entry_bar(bars)
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    CommandAt(street, {entered + 2: "CLOSE_ALL"})

    run(street)

    exit_fill = street.ledger.fills[-1]
    assert exit_fill.reason == int(ExitReason.OPERATOR)
    assert exit_fill.time_ns == int(bars["open_ns"][entered + 2])
    assert purposes(street.ledger).count(Purpose.ENTRY) == 1
    assert ("OPERATOR", "operator") in street.ledger.holds


def test_a_killed_engine_closes_everything_and_only_reviving_lets_it_enter_again() -> None:
    bars = random_bars(1, 3000)
    entered = first_entry_bar(bars)
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    CommandAt(street, {entered + 3: "KILL", entered + 5: "RESUME", 1500: "REVIVE"})

    run(street)

    entries = [o for o, _ in street.ledger.intents.values() if o.purpose == Purpose.ENTRY]
    assert street.ledger.fills[1].reason == int(ExitReason.OPERATOR)
    assert len(entries) > 1
    assert entries[1].at_ns > int(bars["open_ns"][1499])
    assert street.ledger.outcomes[f"RESUME-{entered + 5}"] == "was not paused"
    assert street.ledger.holds == set()


def test_a_bad_key_holds_entries_until_a_good_one_and_resuming_does_not_lift_it() -> None:
    bars = random_bars(1, 3000)
    entered = first_entry_bar(bars)
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    orders = {entered + 3: "HOLD_KEY", entered + 5: "RESUME", 1400: "HOLD_KEY", 1500: "LIFT_KEY"}
    CommandAt(street, {1: "LIFT_KEY", **orders})

    run(street)

    entries = [o for o, _ in street.ledger.intents.values() if o.purpose == Purpose.ENTRY]
    assert Purpose.PROTECT in purposes(street.ledger)
    assert entries[1].at_ns > int(bars["open_ns"][1499])
    assert street.ledger.outcomes["LIFT_KEY-1"] == "was not held"
    assert street.ledger.outcomes[f"RESUME-{entered + 5}"] == "was not paused"
    assert street.ledger.outcomes["HOLD_KEY-1400"] == "already held"
    assert street.ledger.outcomes["LIFT_KEY-1500"] == "entries resumed"
    assert street.ledger.holds == set()


def test_a_lapsed_workspace_holds_entries_and_only_its_end_lifts_that() -> None:
    bars = random_bars(1, 3000)
    entered = first_entry_bar(bars)
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    orders = {entered + 3: "HOLD_LAPSED", entered + 4: "HOLD_SUSPENDED", entered + 5: "RESUME",
              1400: "LIFT_LAPSED", 1500: "LIFT_SUSPENDED"}  # fmt: skip
    CommandAt(street, orders)

    run(street)

    entries = [o for o, _ in street.ledger.intents.values() if o.purpose == Purpose.ENTRY]
    exits = [f for f in street.ledger.fills if f.purpose != Purpose.ENTRY]
    assert Purpose.PROTECT in purposes(street.ledger)
    assert exits[0].time_ns < int(
        bars["open_ns"][1400]
    )  # the position ended while entries were held
    assert entries[1].at_ns > int(bars["open_ns"][1499])
    assert street.ledger.outcomes[f"RESUME-{entered + 5}"] == "was not paused"
    assert street.ledger.outcomes["LIFT_LAPSED-1400"] == "lifted; another hold still stands"
    assert street.ledger.outcomes["LIFT_SUSPENDED-1500"] == "entries resumed"
    assert street.ledger.holds == set()


def test_what_was_ordered_while_nobody_led_comes_before_the_first_bar() -> None:
    bars = random_bars(1, 3000)
    street = Street([bars], ACTIVE, pace=EVERY_BAR)
    first_entry_bar(bars)  # it would enter
    street.inbox.commands.append(Command("early", "HOLD_LAPSED", "the workspace has lapsed"))

    run(street)

    assert street.ledger.outcomes["early"] == "entries held"
    assert street.ledger.intents == {}


def test_the_same_command_twice_places_one_hold() -> None:
    street = Street([random_bars(1, 300)], ACTIVE, pace=EVERY_BAR)
    CommandAt(street, {1: "PAUSE", 2: "PAUSE"})

    run(street)

    assert street.ledger.outcomes["PAUSE-2"] == "already paused"


def test_every_intent_is_in_the_journal_before_it_is_sent() -> None:
    street = Street([random_bars(1, 3000)], ACTIVE)
    sent: list[tuple[int, int]] = []
    submit = street.venue.submit

    async def watched(order: OrderRequest) -> str:
        assert (order.market, order.seq) in street.ledger.intents
        sent.append((order.market, order.seq))
        return await submit(order)

    street.venue.submit = watched  # type: ignore[method-assign]

    run(street)

    assert sorted(sent) == sorted(street.ledger.intents)
    assert len(sent) == len(set(sent))


def test_a_filled_entry_is_protected_by_a_stop_planned_in_the_same_commit() -> None:
    street = Street([random_bars(1, 3000)], ACTIVE)
    commit = street.ledger.commit
    naked: list[int] = []

    async def watched(batch):
        entries = [f for f in batch.fills if f.purpose == Purpose.ENTRY]
        stops = [o for o in batch.intents if o.purpose == Purpose.PROTECT]
        if len(entries) != len(stops):
            naked.append(street.ledger.commits)
        await commit(batch)

    street.ledger.commit = watched  # type: ignore[method-assign]

    run(street)

    assert street.ledger.fills
    assert naked == []


def test_a_refused_entry_is_recorded_and_the_market_is_free_again() -> None:
    street = Street([random_bars(1, 3000)], ACTIVE)

    async def refuse(order: OrderRequest) -> str:
        raise Refused("insufficient funds")

    street.venue.submit = refuse  # type: ignore[method-assign]

    run(street)

    states = {state for _, state in street.ledger.intents.values()}
    assert states == {"REFUSED"}
    assert len(street.ledger.intents) > 1
    assert street.ledger.fills == []
    assert int(street.core.account[0]["open_positions"]) == 0


def test_an_order_without_an_answer_is_unknown_and_blocks_entries_of_its_market() -> None:
    street = Street([random_bars(1, 3000)], ACTIVE)

    async def silent(order: OrderRequest) -> str:
        raise OutcomeUnknown("no reply")

    async def undecided(order: OrderRequest) -> Evidence:
        return Evidence(Known.UNDECIDED)

    street.venue.submit = silent  # type: ignore[method-assign]
    street.venue.lookup = undecided  # type: ignore[method-assign]

    run(street)

    assert [state for _, state in street.ledger.intents.values()] == ["UNKNOWN"]


def test_an_unknown_order_the_venue_knows_is_adopted_after_a_restart_and_not_sent_again() -> None:
    bars = random_bars(1, 3000)
    entered = first_entry_bar(bars)
    street = Street([bars[: entered + 1]], ACTIVE)
    submit = street.venue.submit

    async def accepted_without_reply(order: OrderRequest) -> str:
        await submit(order)
        raise OutcomeUnknown("reply lost")

    street.venue.submit = accepted_without_reply  # type: ignore[method-assign]
    run(street)
    again = Street([bars], ACTIVE, ledger=street.ledger)
    resent: list[OrderRequest] = []
    resubmit = again.venue.submit

    async def watched(order: OrderRequest) -> str:
        resent.append(order)
        return await resubmit(order)

    again.venue.submit = watched  # type: ignore[method-assign]

    run(again)

    first = min(street.ledger.intents)
    assert first not in [(o.market, o.seq) for o in resent]
    assert any(f.intent_seq == first[1] for f in street.ledger.fills)


def test_an_intent_found_unsent_after_its_deadline_expires_and_is_never_sent_late() -> None:
    bars = random_bars(1, 3000)
    entered = first_entry_bar(bars)
    street = Street([bars[:entered]], ACTIVE)
    run(street)
    (key,) = street.ledger.intents
    order, _ = street.ledger.intents[key]
    late = OrderRequest(
        **{f: getattr(order, f) for f in order.__struct_fields__} | {"deadline_ns": 1}
    )
    street.ledger.intents[key] = (late, "PLANNED")
    street.ledger.snapshot = type(street.ledger.snapshot)(
        **{f: getattr(street.ledger.snapshot, f) for f in street.ledger.snapshot.__slots__}
        | {"venue": b'[{"market_seq": 0}]'}
    )

    again = Street([bars[: entered + 30]], ACTIVE, ledger=street.ledger)
    run(again)

    assert street.ledger.intents[key][1] == "EXPIRED"
    assert all(f.intent_seq != key[1] for f in street.ledger.fills)


def test_a_leader_whose_heartbeat_is_too_old_stops_without_a_word() -> None:
    street = Street([random_bars(1, 300)], ACTIVE)
    street.lease.held = False

    outcome = run(street)

    assert outcome is Outcome.LEADERSHIP_LOST
    assert street.ledger.decisions == []


def test_a_journal_that_says_another_leads_ends_the_run_with_nothing_sent() -> None:
    street = Street([random_bars(1, 3000)], ACTIVE)
    street.ledger.leader = False
    sent: list[OrderRequest] = []

    async def watched(order: OrderRequest) -> str:
        sent.append(order)
        return "x"

    street.venue.submit = watched  # type: ignore[method-assign]

    assert run(street) is Outcome.LEADERSHIP_LOST
    assert sent == []


def kept_by_names(street: Street) -> tuple[object, object]:
    return street.core.portable_account(), street.core.portable_market(0)


@pytest.mark.parametrize("cut", [700, 1500, 2400])
def test_another_core_takes_over_position_stop_and_cash(cut: int) -> None:
    bars = random_bars(3, 3000)
    street = Street([bars[:cut]], ACTIVE)
    run(street)
    before = kept_by_names(street)
    street.ledger.core_hash = "of another version"
    again = Street([bars[:cut]], ACTIVE, ledger=street.ledger)

    run(again)

    assert kept_by_names(again) == before
    assert float(again.core.markets[0]["frames"][0]["now"]["atr"]) == pytest.approx(
        float(street.core.markets[0]["frames"][0]["now"]["atr"]), rel=1e-6
    )


def test_the_last_word_on_the_page_is_that_everything_was_replayed() -> None:
    street = Street([random_bars(1, 300)], ACTIVE)

    run(street)

    status = next(v for key, v in street.sink.latest.items() if key.startswith("engine:"))
    assert (status["observed"], status["detail"]) == ("FINISHED", "every stored bar was replayed")
    assert street.lease.reports == [("FINISHED", "every stored bar was replayed")]


class Quiet:
    """A venue that says nothing more after some bars, until the journal has them or a while has passed."""

    def __init__(self, street: Street, *, bars: int) -> None:
        self.ledger, self.bars, self.inner = street.ledger, bars, street.venue
        self.is_written = False
        street.runner._ports = replace(street.runner._ports, venue=self)

    async def messages(self, *, after_ns):
        told = 0
        async for message in self.inner.messages(after_ns=after_ns):
            yield message
            told += isinstance(message, BarClosed)
            if told == self.bars:
                break
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                while len(self.ledger.decisions) < self.bars:
                    await asyncio.sleep(0)
                self.is_written = True

    def __getattr__(self, name):
        return getattr(self.inner, name)


def test_what_was_decided_is_written_on_time_although_nothing_more_is_told() -> None:
    street = Street([random_bars(1, 300)], ACTIVE, pace=Pace())
    venue = Quiet(street, bars=7)

    run(street)

    assert venue.is_written


def test_where_nothing_is_told_nothing_is_written() -> None:
    street = Street([random_bars(1, 300)], ACTIVE, pace=Pace())
    counts: list[int] = []

    class Idle(Quiet):
        async def messages(self, *, after_ns):
            async for message in super().messages(after_ns=after_ns):
                yield message
            counts.append(self.ledger.commits)
            for _ in range(500):
                await asyncio.sleep(0)
            counts.append(self.ledger.commits)

    Idle(street, bars=7)
    run(street)

    assert counts[0] == counts[1]
