"""Ctrl-C is heard between two evaluations, never in the middle of writing to the database."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """Remembers the first Ctrl-C until ``check`` is called; the second one acts at once."""

    def __init__(self) -> None:
        self._asked = False
        self._former: Any = None  # whatever handled it before

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._former = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._former is not None:
            signal.signal(signal.SIGINT, self._former)

    def check(self) -> None:
        """Where it is safe to stop.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        if self._asked:
            raise KeyboardInterrupt

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
