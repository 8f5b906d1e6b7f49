"""A forked program is what a new interpreter would be: its own environment, output, signals and end."""

import os
import signal
import subprocess

import pytest

from tests.faults.processes import ended_afterwards
from tests.forking import Program, answer_of

BARE = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "tests.settings"}
TELL = """
import os, sys
from django.db import connection
print("OF_THE_TEST" in os.environ, os.environ.get("OF_THE_PROGRAM"), "numba" in sys.modules)
print(sys.path[0])
print(connection.settings_dict["NAME"], file=sys.stderr)
"""
SLEEP = "import time; time.sleep(600)"


def test_it_has_the_environment_it_is_given_and_settings_of_its_own(
    monkeypatch, fresh_database
) -> None:
    monkeypatch.setenv("OF_THE_TEST", "1")
    environment = {
        **fresh_database.environment,
        "OF_THE_PROGRAM": "its own",
        "PYTHONPATH": "/a/place",
    }

    done = answer_of("manage.py", "shell", "-v", "0", "-c", TELL, environment=environment)

    assert done.stdout.splitlines() == ["False its own True", "/a/place"]  # numba was loaded ahead
    assert done.stderr.splitlines() == [fresh_database.name]


def test_its_end_is_told_as_of_any_process(tmp_path) -> None:
    code = answer_of("manage.py", "shell", "-c", "raise SystemExit(7)", environment=BARE).returncode
    broken = answer_of("manage.py", "shell", "-c", "1 / 0", environment=BARE)
    sleeping = Program("manage.py", "shell", "-c", SLEEP, environment=BARE)
    with ended_afterwards(sleeping):
        with pytest.raises(subprocess.TimeoutExpired):
            sleeping.wait(0.01)
        running = sleeping.poll()
        sleeping.send_signal(signal.SIGKILL)
        killed = sleeping.wait(60)

    assert code == 7
    assert (broken.returncode, "ZeroDivisionError" in broken.stderr) == (1, True)
    assert (running, killed, sleeping.returncode) == (None, -signal.SIGKILL, -signal.SIGKILL)
