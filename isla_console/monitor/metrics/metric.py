"""A metric's state from its measurements: bounds, hysteresis, staleness. Pure: `now` is an argument.

- `ok`: the normal bound holds. `elevated`: it does not, and there is no alert. `alert`: the alert bound
  held for three samples in a row, until it failed to hold for two. Bounds are strict as written.
- `stale`: no sample for three intervals. `unknown`: no sample yet, or none for three intervals by a fault of
  our own. `blind`: our own link is down.

The value shown and the state agree: a value beyond the alert bound is never shown as ok.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from isla_console.monitor.metrics.hysteresis import BAD_TO_RAISE, Hysteresis
from isla_console.monitor.metrics.sample import State

HISTORY = 60
"""How many values are kept for a sparkline."""
COURSE_STEP = timedelta(seconds=30)
COURSE = timedelta(hours=1)
"""How far back the course goes, with a value for each step."""
STALE_INTERVALS = 3
FEW_SAMPLES = 20
"""A 95th percentile of fewer samples is one slow answer, and marked provisional."""

BLIND_REASON = "our own link is down: nothing is known"
WAITING = "waiting for the first sample"


class Limit(Protocol):
    """One side of a number line; `str` gives it as the runbook writes it."""

    def holds(self, value: float) -> bool:
        """Return whether the value lies on this side."""


@dataclass(frozen=True, slots=True)
class MetricRule:
    """What a tracker needs to know about a metric."""

    id: str
    title: str
    short: str
    unit: str
    decimals: int
    normal: Limit
    alert: Limit
    every_s: float
    source: str
    """Where it is measured, for people: "probe redirect · p95 60 s"."""
    percentile: bool = False
    """Whether few samples make the value provisional."""

    def text(self, value: float) -> str:
        """Return the value with its unit, such as `1240 ms`."""
        return f"{value:z.{self.decimals}f} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric at a moment, ready to draw."""

    id: str
    title: str
    short: str
    unit: str
    decimals: int
    state: State
    value: float | None
    """The latest value; while stale or blind, the last one known."""
    text: str
    """The value with its unit; "" without a value."""
    bound: str
    """The bound that matters now: the normal one while ok, otherwise the alert one."""
    source: str
    n: int
    """How many single measurements the value is made of."""
    provisional: bool
    sampled_at: datetime | None
    since: datetime | None
    """When the state began; None while blind, when the link's reading says it."""
    reason: str
    """Why it is unknown, stale or blind, and what to do; or how near the next change is."""
    history: tuple[float | None, ...]
    """The last values, at most 60, latest last; None where a sample failed."""
    unset: bool = False
    """Whether it waits for a setting, which the reason names."""
    course: tuple[tuple[datetime, float], ...] = ()
    """The last hour: (since when, value) for each half minute, latest last.

    Of several values in a step, one beyond the alert bound is kept.
    """

    @property
    def seen(self) -> State:
        """The state as it may be drawn: what is well by an older sample alone is not green."""
        failed = bool(self.history) and self.history[-1] is None
        return "stale" if failed and self.state == "ok" else self.state


class MetricTracker:
    """Derives one metric's state from its measurements."""

    def __init__(self, rule: MetricRule, *, unknown: str = WAITING) -> None:
        """Begin without a sample.

        Args:
            rule: The metric's bounds, unit and interval.
            unknown: The reason shown until the first sample, such as "set ISLA_DATABASE_URL".
        """
        self.rule = rule
        self._hysteresis = Hysteresis()
        self._unknown = unknown
        # A metric that waits for a setting stays unknown and says so, even while blind.
        self._has_source = unknown == WAITING
        self._history: deque[float | None] = deque(maxlen=HISTORY)
        self._course: deque[tuple[datetime, float]] = deque(maxlen=COURSE // COURSE_STEP)
        self._value: float | None = None
        self._n = 0
        self._sampled_at: datetime | None = None
        self._fresh_from: datetime | None = None
        self._failure = ""
        self._ours = False
        self._state: State = "unknown"
        self._since: datetime | None = None
        self._stale_after = timedelta(seconds=STALE_INTERVALS * rule.every_s)
        self._drawn: Reading | None = None

    def observe(self, value: float, at: datetime, n: int = 1, *, bad: int | None = None) -> None:
        """Take in a value of the metric.

        Args:
            value: In the metric's unit.
            at: When it was measured.
            n: How many single measurements it is made of.
            bad: How many of those are beyond the alert bound by themselves; None where the value is a
                single measurement. Fewer than three never raise an alert: one slow answer stays the p95
                of a short window for as long as the window lasts, and is still one slow answer.
        """
        self._hysteresis.observe(self.rule.alert.holds(value), confirmed=bad is None or bad >= BAD_TO_RAISE)
        self._value, self._n, self._sampled_at, self._failure = value, n, at, ""
        self._fresh_from, self._ours = None, False
        self._history.append(value)
        self._remember(value, at)
        if self._hysteresis.raised:
            self._enter("alert", at)
        else:
            self._enter("ok" if self.rule.normal.holds(value) else "elevated", at)
        self._drawn = None

    def missing(self, reason: str, at: datetime, *, ours: bool = False) -> None:
        """Note that a sample gave no value. The metric turns stale by itself if that goes on.

        By a fault of our own (`ours`) it turns unknown instead: that says nothing about the platform.
        """
        self._failure, self._ours = reason, ours
        self._history.append(None)
        self._drawn = None

    def resume(self, at: datetime) -> None:
        """Go on after being blind, which does not count as having had no sample."""
        if self._sampled_at is not None:
            self._fresh_from = at
        self._drawn = None

    def state(self, now: datetime, blind: bool = False) -> State:
        """Return the state alone."""
        if blind and self._has_source:
            return "blind"
        if self._stale_at(now):
            return "unknown" if self._ours else "stale"
        return self._state

    def reading(self, now: datetime, blind: bool = False) -> Reading:
        """Return the metric at `now`; the same object as before while nothing has changed."""
        state = self.state(now, blind)
        if self._drawn is None or self._drawn.state != state:
            self._drawn = self._draw(state, now)
        return self._drawn

    def _draw(self, state: State, now: datetime) -> Reading:
        rule, value = self.rule, self._value
        since = self._since
        if state in {"stale", "unknown"}:
            since = self._stale_at(now) or since
        return Reading(
            id=rule.id,
            title=rule.title,
            short=rule.short,
            unit=rule.unit,
            decimals=rule.decimals,
            state=state,
            value=value,
            text="" if value is None else rule.text(value),
            bound=str(rule.normal if state == "ok" else rule.alert),
            source=rule.source,
            n=self._n,
            provisional=rule.percentile and 0 < self._n < FEW_SAMPLES,
            sampled_at=self._sampled_at,
            since=None if state == "blind" else since,
            reason=self._reason(state),
            history=tuple(self._history),
            unset=not self._has_source,
            course=tuple(self._course),
        )

    def _remember(self, value: float, at: datetime) -> None:
        if not self._course or not timedelta() <= at - self._course[-1][0] < COURSE_STEP:
            self._course.append((at, value))
            return
        since, before = self._course[-1]
        if self.rule.alert.holds(value) or not self.rule.alert.holds(before):
            self._course[-1] = (since, value)

    def _reason(self, state: State) -> str:
        if state == "blind":
            return BLIND_REASON
        if state == "unknown":
            return self._failure or self._unknown
        if state == "stale":
            return self._failure or "no sample for three intervals"
        return self._failure or self._hysteresis.progress

    def _stale_at(self, now: datetime) -> datetime | None:
        """Return when the metric went stale; None if it has not."""
        if self._sampled_at is None:
            return None
        base = max(self._sampled_at, self._fresh_from or self._sampled_at)
        since = base + self._stale_after
        return since if now > since else None

    def _enter(self, state: State, at: datetime) -> None:
        if state != self._state:
            self._state, self._since = state, at
