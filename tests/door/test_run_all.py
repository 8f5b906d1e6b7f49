"""./SuperStart.sh --test: every step runs, each has its line, one failure fails the whole."""

import sys

import pytest

from tests import conftest, run_all
from tests.run_all import Step

PASSES = Step("passes", (sys.executable, "-c", "print('quiet')"))
FAILS = Step("fails", (sys.executable, "-c", "print('the reason'); raise SystemExit(3)"))


def test_a_step_that_passes_shows_one_line(capfd):
    assert run_all.run(PASSES)

    assert capfd.readouterr().out.split()[:2] == ["passes", "ok"]


def test_a_step_that_fails_shows_its_output(capfd):
    assert not run_all.run(FAILS)

    assert "the reason" in capfd.readouterr().out


@pytest.mark.parametrize(("chosen", "code"), [([PASSES], 0), ([FAILS, PASSES], 1)])
def test_every_step_runs_and_one_failure_fails_the_whole(monkeypatch, capfd, chosen, code):
    monkeypatch.setattr(run_all, "steps", lambda _arguments: [*chosen, PASSES])

    assert run_all.main(["--no-pytest"]) == code

    shown = capfd.readouterr().out
    assert all(step.title in shown for step in chosen)


def test_pytest_begins_after_the_first_step_and_waits_for_no_other(monkeypatch, tmp_path):
    compiled, begun = tmp_path / "compiled", tmp_path / "begun"

    def shell(words: str) -> Step:
        return Step(words, ("sh", "-c", words))

    awaiting = f"for _ in $(seq 600); do test -e {begun} && exit 0; sleep 0.1; done; exit 1"
    chosen = [shell(f"touch {compiled}"), shell(awaiting), shell(f"cat {compiled} > {begun}")]
    monkeypatch.setattr(run_all, "steps", lambda _arguments: chosen)
    monkeypatch.setattr(run_all, "ensure_browser", lambda: None)
    monkeypatch.setattr(run_all.os, "cpu_count", lambda: 2)

    assert run_all.main([]) == 0


def test_the_pages_are_checked_as_production_would_run_them():
    step = next(step for step in run_all.steps([]) if "--deploy" in step.command)

    assert step.environment["NOVA_ENV"] == "production"
    assert "WARNING" in step.command


def test_what_follows_is_handed_to_pytest():
    assert list(run_all.steps(["-k", "fills"])[-1].command[-2:]) == ["-k", "fills"]


def test_the_files_that_go_first_are_there():
    assert [one for one in conftest.LONGEST_FIRST if not (conftest.HERE / one).exists()] == []
