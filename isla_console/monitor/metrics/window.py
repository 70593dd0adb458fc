"""The last N seconds of measurements. Pure: time is always an argument."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

Aggregate = Literal["last", "p95", "max", "mean", "rate"]

_MAX_ENTRIES = 10_000  # three hours at one a second: bounds memory whatever the runbook asks for


class Window:
    """Measurements not older than `seconds`, oldest first."""

    __slots__ = ("_entries", "_span")

    def __init__(self, seconds: float) -> None:
        self._span = timedelta(seconds=seconds)
        self._entries: deque[tuple[datetime, float]] = deque(maxlen=_MAX_ENTRIES)

    def add(self, at: datetime, value: float) -> None:
        """Append a measurement and drop those that have left the window by then."""
        self._entries.append((at, value))
        self.prune(at)

    def prune(self, now: datetime) -> None:
        """Drop what is `seconds` old or older, and what lies in the future (the clock was set back)."""
        entries = self._entries
        # All but the newest are in order, so only one of the last two can lie in the future.
        if any(at > now for at, _ in islice(reversed(entries), 2)):
            kept = [entry for entry in entries if entry[0] <= now]
            entries.clear()
            entries.extend(kept)
        while entries and now - entries[0][0] >= self._span:
            entries.popleft()

    @property
    def count(self) -> int:
        """How many measurements are in the window."""
        return len(self._entries)

    @property
    def last(self) -> float | None:
        """The newest value."""
        return self._entries[-1][1] if self._entries else None

    def percentile(self, percent: float) -> float | None:
        """Return the nearest-rank percentile, which is always a measured value, never an interpolated one."""
        if not self._entries:
            return None
        values = sorted(value for _, value in self._entries)
        return values[max(math.ceil(percent / 100 * len(values)), 1) - 1]

    def rate(self) -> float | None:
        """Return the mean of the values; of zeros and ones, the share of ones, from 0 to 1."""
        if not self._entries:
            return None
        return math.fsum(value for _, value in self._entries) / len(self._entries)

    def aggregate(self, how: Aggregate) -> float | None:
        """Return one value for the window; `rate` in percent. None when it is empty."""
        if not self._entries:
            return None
        if how == "p95":
            return self.percentile(95)
        if how == "max":
            return max(value for _, value in self._entries)
        if how == "last":
            return self.last
        share = self.rate()
        return share * 100 if how == "rate" and share is not None else share

    def values(self) -> tuple[float, ...]:
        """Return the values, oldest first."""
        return tuple(value for _, value in self._entries)
