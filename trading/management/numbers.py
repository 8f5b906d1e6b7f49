"""Numbers on the command line: each says what it accepts."""

from argparse import ArgumentTypeError
from contextlib import suppress
from math import inf

MOST_PORT = 65_535
LAST_S = 4_102_444_800  # the year 2100


def port(text: str) -> int:
    """A TCP port; 0: any that is free.

    Raises:
        ArgumentTypeError: it is none.
    """
    if text.isdecimal() and int(text) <= MOST_PORT:
        return int(text)
    raise ArgumentTypeError(f"port {text!r}: accepted is 0 to {MOST_PORT}")


def seconds(text: str) -> float:
    """How long to wait.

    Raises:
        ArgumentTypeError: it is no time.
    """
    with suppress(ValueError):
        if 0 <= float(text) < inf:
            return float(text)
    raise ArgumentTypeError(f"seconds {text!r}: accepted is a number from 0 on")


def moment(text: str) -> int:
    """A moment since 1970, in whole seconds.

    Raises:
        ArgumentTypeError: it is none that a clock here can show.
    """
    if text.isdecimal() and int(text) <= LAST_S:
        return int(text)
    raise ArgumentTypeError(f"moment {text!r}: accepted are seconds since 1970, 0 to {LAST_S}")
