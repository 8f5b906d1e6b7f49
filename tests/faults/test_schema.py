"""Programs of another version than the database's tables refuse to start, in one sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from tests.faults.processes import ended_afterwards, engine_row
from tests.forking import Program
from tests.pages import free_port
from trading.fleet import CALM, CANNOT_RUN
from trading.management.commands.run_fleet import run_one
from trading.wiring.directory import list_engines

pytestmark = pytest.mark.faults
NEWER = "INSERT INTO django_migrations (app, name, applied) VALUES ('trading', '0009_next', now())"
OLDER = "DELETE FROM django_migrations WHERE app = 'trading' AND name = '0001_initial'"
SENTENCES = {
    NEWER: "the database's tables are newer than this program: it does not know migration "
    "trading.0009_next; accepted is a program of their version: deploy that one",
    OLDER: "the database's tables are older than this program: migration trading.0001_initial is "
    "not applied; run `manage.py migrate`, then start again",
}
PROGRAMS = {
    "engine": ["manage.py", "run_engine", "--tenant", "acme", "--exchange", "replay"],
    "fleet": ["manage.py", "run_fleet"],
    "web": ["-m", "daphne", "-p", str(free_port()), "novapulse.web:application"],
    "pages": ["-m", "novapulse.wsgi"],
    "worker": ["-m", "celery", "--app", "novapulse", "--quiet", "worker", "--pool", "solo"],
    "clock": ["-m", "celery", "--app", "novapulse", "--quiet", "beat", "--pidfile", ""],
}  # fmt: skip


def change(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("statement", SENTENCES, ids=["newer tables", "older tables"])
def test_no_program_starts_on_the_tables_of_another_version(
    street: Callable, environment: dict[str, str], statement: str, tmp_path: Path
) -> None:
    street(10)
    change(statement)
    schedule = ["--schedule", str(tmp_path / "beat")]

    started = {
        name: Program(
            *command, *(schedule if name == "clock" else ()), environment=environment,
            errors=tmp_path / name,
        )
        for name, command in PROGRAMS.items()
    }  # fmt: skip
    with ended_afterwards(*started.values()):
        for name, process in started.items():
            assert (name, process.wait(120)) == (name, CANNOT_RUN)

    for name in started:
        assert SENTENCES[statement] in (tmp_path / name).read_text(), name


def test_engines_of_a_fleet_end_calmly_when_the_tables_change_under_it(
    street: Callable, environment: dict[str, str]
) -> None:
    rows = street(10)
    (listed,) = list_engines()
    change(NEWER)

    with pytest.raises(SystemExit) as ended:
        run_one(listed, lambda: None)

    assert ended.value.code == CANNOT_RUN in CALM
    assert engine_row(rows).epoch == 0
