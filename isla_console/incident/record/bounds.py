"""What numbers and times in events and in their policies may be: every limit is here.

A number outside would not fit the arithmetic of clocks and ladders: one of them, imported from elsewhere,
must never take a whole journal with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a number may be; with `above`, `least` itself is too little."""

    least: float
    most: float
    unit: str = ""
    above: bool = False

    def problem(self, value: Any) -> str | None:
        """Say what is wrong with a value of an event; None if nothing is."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return f"expected a number{self._range}"
        fits = self.least < value <= self.most if self.above else self.least <= value <= self.most
        return None if fits else f"{_shown(value)} is out of bounds; expected a number{self._range}"

    @property
    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.above:
            return f" over {self.least:g} and at most {self.most:,.0f}{unit}"
        return f" from {self.least:,.0f} to {self.most:,.0f}{unit}"


WEEK_MIN: Final = 7 * 24 * 60
SPAN: Final = Bounds(0, WEEK_MIN, "min", above=True)
"""How long something lasts: a cadence, a first update, a nag, a snooze."""
OFFSET: Final = Bounds(0, WEEK_MIN, "min")
"""How late something begins, or how long it soaks: may be at once."""
HOURS: Final = Bounds(0, 365 * 24, "h", above=True)
DURATION_MS: Final = Bounds(0, 10 * 365 * 24 * 3600 * 1000, "ms")
WHOLE: Final = Bounds(-(2**63), 2**63 - 1)
"""What SQLite, PostgreSQL and other readers of an export take for a whole number."""

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
DEEPEST: Final = 50
"""How many objects and lists of an event's data may lie inside each other."""


def time_problem(when: datetime) -> str | None:
    """Say what is wrong with a time of an event; None if nothing is."""
    if EARLIEST <= when < LATEST:
        return None
    years = f"{EARLIEST.year} to {LATEST.year - 1}"
    return f"{when.date().isoformat()} is out of bounds; expected a time from {years}"


def value_problem(value: Any, depth: int = 0) -> str | None:
    """Say what no JSON for other programs can hold: a number that is none, or too many levels."""
    if isinstance(value, str | bool) or value is None:
        return None
    if isinstance(value, int):
        return None if WHOLE.least <= value <= WHOLE.most else "a whole number of more than 64 bits"
    if isinstance(value, float):
        return None if math.isfinite(value) else "a number that is not finite"
    if not isinstance(value, dict | list | tuple):
        return f"{type(value).__name__} is no JSON"
    if depth >= DEEPEST:
        return f"more than {DEEPEST} levels inside each other"
    inner = value.values() if isinstance(value, dict) else value
    return next((problem for item in inner if (problem := value_problem(item, depth + 1))), None)


def _shown(value: float) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)[:20]
    return text if len(text) < 20 else f"{text[:19]}…"
