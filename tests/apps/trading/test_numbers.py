"""Numbers on the command line: what is none is refused before anything is begun."""

import pytest
from django.core.management import CommandError, call_command

ENGINE = ("engine", "pause", "--tenant", "any", "--exchange", "kraken")


@pytest.mark.parametrize("port", ["99999", "-1", "x", "65536", "1.5"])
def test_a_port_is_one_of_those_there_are(port: str) -> None:
    with pytest.raises(CommandError, match=f"port '{port}': accepted is 0 to 65535"):
        call_command("run_simulator", f"--port={port}")


@pytest.mark.parametrize("moment", ["-5", "now", "99999999999"])
def test_a_market_begins_at_a_moment_a_clock_can_show(moment: str) -> None:
    with pytest.raises(CommandError, match=f"moment '{moment}': accepted are seconds since 1970"):
        call_command("run_simulator", f"--from={moment}")


@pytest.mark.parametrize("wait", ["-3", "nan", "inf", "soon"])
def test_nobody_waits_a_time_that_is_none(wait: str) -> None:
    with pytest.raises(CommandError, match=f"seconds '{wait}': accepted is a number from 0 on"):
        call_command(*ENGINE, f"--wait={wait}")
