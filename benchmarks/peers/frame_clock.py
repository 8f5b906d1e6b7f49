"""What the scripts that hear frames share: the frames, the clock, one JSON line. Standard library only."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

WARM_UP = 2_000  # frames

Levels = list[tuple[float, float]]


def read_lines() -> list[str]:
    """The frames, oldest first."""
    return Path(sys.argv[1]).read_text().split("\n")


def tell(lines: list[str], hear: Callable[[str], None], best: Callable[[], Levels]) -> None:
    """Hear all of them; CPU time counts, because the machine is shared. ``best`` shows who was right."""
    for line in lines[:WARM_UP]:
        hear(line)
    rest = lines[WARM_UP:]
    began = time.process_time()
    for line in rest:
        hear(line)
    seconds = time.process_time() - began
    sys.stdout.write(f"\n{json.dumps({'per_second': len(rest) / seconds, 'best': best()})}\n")
