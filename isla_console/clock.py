"""The console's clock: UTC that never jumps while the console runs.

Elapsed time follows a clock that nobody can set and that keeps counting while the machine is suspended. The
wall clock is read once, at start, and then only watched, so that a jump can be reported and journalled.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _steady() -> float:
    """Return seconds that only grow, on Linux also while the machine is suspended."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """UTC at the start, plus the steady seconds since.

    Args:
        wall: For tests: returns aware UTC.
        steady: For tests: returns seconds that only grow.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = _steady,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._start = wall()
        self._zero = steady()
        self._reported = timedelta()

    def now(self) -> datetime:
        """Return aware UTC, which never jumps."""
        return self._start + timedelta(seconds=self._steady() - self._zero)

    def jump(self, least: timedelta = timedelta(seconds=5)) -> timedelta | None:
        """Return how far the wall clock moved since the last jump reported; None for at most `least`."""
        moved = self._wall() - self.now() - self._reported
        if abs(moved) <= least:
            return None
        self._reported += moved
        return moved
