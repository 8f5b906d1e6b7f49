"""How far generated tests seek.

By default a commit's verdict is always the same; ``FUZZ_TIMES=2`` and more seek so many times further,
from other seeds each time.
"""

import os

from hypothesis import settings

TIMES = int(os.environ.get("FUZZ_TIMES", "1"))


def load() -> None:
    """Make it what Hypothesis goes by where a test names nothing else."""
    settings.register_profile("same", derandomize=True, print_blob=True)
    settings.register_profile("further", max_examples=100 * TIMES, print_blob=True)
    settings.load_profile("same" if TIMES == 1 else "further")
