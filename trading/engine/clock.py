"""The one real clock: implements ports.Clock."""

import asyncio
import time


class SystemClock:
    """Wall and monotonic time of this machine."""

    def now_ns(self) -> int:
        """Wall time, nanoseconds UTC."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await asyncio.sleep(seconds)
