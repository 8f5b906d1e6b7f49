"""Whoever rewrites a log is found, whichever entry and however."""

import threading
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenants import operations as tenant_operations
from tenants.chain import Damage, Head, walk
from tenants.models import AuditEntry, ChainCheck
from tenants.scoping import tenant_scope
from tests.apps.trading.attacks import Log, acts, decided
from tests.factories import NOW, EngineRows, make_engine, make_instrument, make_tenant
from trading.core import explain
from trading.engine.batches import DecisionRow
from trading.ledger.decisions import DecisionChain, ask_head, read_head, write_decisions
from trading.models import Decision
from trading.tasks import anchor_audit
from trading.wiring.plans import read_plan

ENTRIES = 9
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def write_acts(tenant_id, count: int, *, first: int = 1) -> None:
    with tenant_scope(tenant_id):
        for number in range(first, first + count):
            tenant_operations.write_audit(
                tenant_id=tenant_id, actor=None, action="engine.pause", subject=f"Ä {number}",
                before={"b": number, "a": [1, None, "é"]}, after={}, now=NOW + timedelta(0, number),
            )  # fmt: skip


def decide(engine: EngineRows, count: int, *, first: int = 1) -> None:
    """What an engine's ledger writes, without the engine."""
    plan = read_plan(tenant_id=str(engine.tenant_id), engine_id=str(engine.engine_id))
    records = np.zeros(count, dtype=explain.DECISION)
    records["bar_open_ns"] = (first + np.arange(count)) * 60_000_000_000
    rows = [DecisionRow(0, record.tobytes()) for record in records]
    owner = DecisionChain(str(engine.tenant_id), str(engine.engine_id), "0" * 16)
    with tenant_scope(engine.tenant_id), connection.cursor() as cursor:
        ask_head(cursor, owner)
        write_decisions(owner, rows, plan.specs, explain.DECISION, read_head(cursor))


@pytest.fixture
def engine(db) -> EngineRows:
    return make_engine("acme", make_instrument(), venue="synthetic")


@pytest.fixture(params=["acts", "decisions"])
def log(request, engine: EngineRows) -> Log:
    """A chain of nine entries, and its owner let loose on it."""
    if request.param == "acts":
        log = acts(engine.tenant_id)
        write_acts(engine.tenant_id, ENTRIES - len(log.rows()))
    else:
        decide(engine, 4)
        decide(engine, ENTRIES - 4, first=5)
        log = decided(engine.tenant_id, engine.engine_id)
    assert len(log.rows()) == ENTRIES
    log.open_up()
    return log


def found_after(log: Log, attack, anchors=()):
    """What a walk finds after an attack, which is taken back."""
    with transaction.atomic(using="owner"):
        attack()
        found = walk(log.rows(), anchors).first_break
        transaction.set_rollback(True, using="owner")
    return found


def test_an_untouched_chain_holds(log: Log) -> None:
    entries = log.rows()

    assert walk(entries, [Head(5, entries[4].hash), Head(9, entries[8].hash)]).first_break is None


@EXAMPLES
@given(data=st.data())
def test_every_attack_on_an_entry_is_found_and_named(log: Log, data) -> None:
    at = data.draw(st.integers(1, ENTRIES - 1))
    attack, damage = data.draw(
        st.sampled_from(
            [
                (log.flip, Damage.CHANGED),
                (log.delete, Damage.DELETED),
                (log.delete_and_close_the_gap, Damage.DELETED),
                (lambda n: log.insert(n, is_linked=False), Damage.INSERTED),
                (lambda n: log.insert(n, is_linked=True), Damage.INSERTED),
            ]
        )
    )

    found = found_after(log, lambda: attack(at))

    assert found is not None
    assert (found.sequence, found.damage) == (at, damage)


@EXAMPLES
@given(
    pair=st.lists(st.integers(1, ENTRIES), min_size=2, max_size=2, unique=True),
    is_whole=st.booleans(),
)
def test_two_exchanged_entries_are_both_named(log: Log, pair, is_whole: bool) -> None:
    first, second = sorted(pair)
    swap = log.swap_places if is_whole else log.swap_contents

    found = found_after(log, lambda: swap(first, second))

    assert found is not None
    assert (found.sequence, found.damage) == (first, Damage.SWAPPED)
    assert f"entries {first} and {second} " in found.words


@EXAMPLES
@given(at=st.integers(1, ENTRIES))
def test_a_cut_tail_is_found_by_the_anchor_alone(log: Log, at: int) -> None:
    last = log.rows()[-1]

    found = found_after(log, lambda: log.truncate(at), [Head(last.sequence, last.hash)])

    assert found_after(log, lambda: log.truncate(at)) is None
    assert found is not None
    assert (found.sequence, found.damage) == (at, Damage.TRUNCATED)


@EXAMPLES
@given(at=st.integers(1, ENTRIES), kept=st.sets(st.integers(1, ENTRIES), min_size=1))
def test_a_chain_hashed_anew_is_found_by_the_anchors_alone(log: Log, at: int, kept) -> None:
    entries = log.rows()
    anchors = [Head(number, entries[number - 1].hash) for number in kept]

    found = found_after(log, lambda: log.flip_and_rehash(at), anchors)

    assert found_after(log, lambda: log.flip_and_rehash(at)) is None
    if max(kept) < at:
        assert found is None  # nothing was kept of what was rewritten
    else:
        assert found is not None
        assert found.damage == Damage.REWRITTEN
        assert found.sequence == max((n for n in kept if n < at), default=0) + 1


def test_an_entry_that_says_its_own_number_and_hash_is_not_believed(engine: EngineRows) -> None:
    with tenant_scope(engine.tenant_id):
        before = AuditEntry.objects.count()
        AuditEntry.objects.create(
            tenant_id=engine.tenant_id, sequence=77, at=NOW, actor_label="me", action="x",
            subject="y", previous_hash=b"\0" * 32, hash=b"\1" * 32,
        )  # fmt: skip

    rows = acts(engine.tenant_id).rows()
    assert len(rows) == before + 1
    assert walk(rows).first_break is None


def test_a_table_that_stands_in_for_the_log_forks_nothing(engine: EngineRows) -> None:
    write_acts(engine.tenant_id, 2)
    with tenant_scope(engine.tenant_id), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE tenants_auditentry (tenant_id uuid, sequence bigint, hash bytea)"
        )
        cursor.execute(
            "INSERT INTO public.tenants_auditentry (tenant_id, sequence, at, actor_label, action,"
            " subject, before, after, previous_hash, hash)"
            " VALUES (%s, 1, now(), 'me', 'x', 'y', '{}', '{}', '', '')",
            [engine.tenant_id],
        )
        cursor.execute("DROP TABLE pg_temp.tenants_auditentry")

    assert walk(acts(engine.tenant_id).rows()).first_break is None


def test_a_second_decision_of_one_number_is_refused(engine: EngineRows) -> None:
    decide(engine, 2)

    with tenant_scope(engine.tenant_id):
        row = Decision.objects.order_by("sequence").last()
        row.pk, row.bar_opened_at = None, NOW
        with pytest.raises(IntegrityError, match="decision_chain"), transaction.atomic():
            row.save(force_insert=True)


def test_many_writers_at_once_do_not_fork_the_log(fresh_database) -> None:
    tenant = make_tenant("acme")
    with tenant_scope(tenant.id):
        before = AuditEntry.objects.count()

    def write(first: int) -> None:
        for number in range(5):
            write_acts(tenant.id, 1, first=first + number)
        connections.close_all()

    threads = [threading.Thread(target=write, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    rows = acts(tenant.id).rows()
    assert len(rows) == before + 20
    assert walk(rows).first_break is None


def test_the_command_verifies_anchors_and_names_what_is_broken(
    log: Log, tmp_path, settings, capsys
) -> None:
    settings.DATA_DIR = tmp_path
    call_command("verify_audit", "--anchor")
    assert "BROKEN" not in capsys.readouterr().out
    assert len((tmp_path / "audit" / "anchors.jsonl").read_text().splitlines()) >= 1
    log.flip_and_rehash(4)

    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--tenant", "acme")

    assert ended.value.code == 1
    assert "BROKEN acme" in (told := capsys.readouterr().out)
    assert "rewritten at 1" in told
    with tenant_scope(log.name.tenant_id):
        check = ChainCheck.objects.filter(chain=log.name.chain).latest("id")
    assert (check.broken_at, check.damage) == (1, "rewritten")


def test_the_nightly_task_anchors_only_what_holds(log: Log, tmp_path, settings) -> None:
    settings.DATA_DIR = tmp_path
    log.flip(3)

    assert anchor_audit() == 1
    assert str(log.name.kind) not in (tmp_path / "audit" / "anchors.jsonl").read_text()


def test_a_changed_line_of_the_anchors_is_not_believed(log: Log, tmp_path, settings) -> None:
    settings.DATA_DIR = tmp_path
    anchor_audit()
    path = tmp_path / "audit" / "anchors.jsonl"
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([first.replace('"sequence": ', '"sequence": 1'), *others]) + "\n")

    with pytest.raises(CommandError, match="line 1 does not bear our seal") as refused:
        call_command("verify_audit", "--anchor")

    assert refused.value.returncode == 1


def test_a_restore_is_accepted_once_on_the_record_and_old_anchors_still_hold(
    engine: EngineRows, log: Log, tmp_path, settings, capsys
) -> None:
    settings.DATA_DIR = tmp_path
    log.truncate(8)
    anchor_audit()  # of the first seven
    lost = log.rows()
    if log.name.kind == ChainCheck.Kind.AUDIT:
        write_acts(log.name.tenant_id, 2, first=50)
    else:
        decide(engine, 2, first=50)
    anchor_audit()
    log.truncate(len(lost) + 1)  # back to the backup
    with pytest.raises(SystemExit):
        call_command("verify_audit", "--accept-restore", "disk lost, backup of 02:00")
    assert "BROKEN" in capsys.readouterr().out

    call_command("verify_audit", "--anchor")

    assert "BROKEN" not in capsys.readouterr().out
    with tenant_scope(log.name.tenant_id):
        entry = AuditEntry.objects.get(action="audit.accept_restore")
    assert entry.after == {"reason": "disk lost, backup of 02:00", "anchored_up_to": 7}
    log.flip_and_rehash(3)
    with pytest.raises(SystemExit):
        call_command("verify_audit")
    assert "rewritten at 1" in capsys.readouterr().out


def test_what_no_restore_does_is_not_accepted(log: Log, tmp_path, settings) -> None:
    settings.DATA_DIR = tmp_path
    log.flip(3)

    for _ in range(2):
        with pytest.raises(SystemExit):
            call_command("verify_audit", "--accept-restore", "please")


def test_an_unknown_workspace_ends_with_two(engine: EngineRows) -> None:
    with pytest.raises(CommandError, match="acme") as refused:
        call_command("verify_audit", "--tenant", "acmee")

    assert refused.value.returncode == 2
