"""The console's clock: UTC that never jumps while the console runs.

Elapsed time follows a clock that counts on through a suspend and is moved by nobody; the wall clock is read
once, at start, and then only watched, so that a step of it can be told and journalled.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _steady() -> float:
    """Seconds that only grow; on Linux they count through a suspended machine too."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """UTC at start plus the steady seconds since.

    `wall` and `steady` are for tests: functions giving aware UTC and seconds.
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
        self._told = timedelta()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._start + timedelta(seconds=self._steady() - self._zero)

    def jump(self, least: timedelta = timedelta(seconds=5)) -> timedelta | None:
        """How far the wall clock moved against this one since it was last told, if more than `least`."""
        apart = self._wall() - self.now() - self._told
        if abs(apart) <= least:
            return None
        self._told += apart
        return apart
