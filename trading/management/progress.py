"""A bar on stderr, on a terminal only."""

import sys
from types import TracebackType
from typing import TextIO

WIDTH = 30


class Bar:
    """Redrawn at every step; its line is wiped at the end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()

    def __call__(self, done: int, total: int) -> None:
        if self._shown and total > 0:
            filled = "#" * (WIDTH * min(done, total) // total)
            self._stream.write(f"\r[{filled:<{WIDTH}}] {done:,} of {total:,} ")
            self._stream.flush()

    def __enter__(self) -> "Bar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._shown:
            self._stream.write("\r\033[K")
            self._stream.flush()
