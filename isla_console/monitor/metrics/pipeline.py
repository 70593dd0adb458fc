"""From measurements to a metric: they are gathered in a window, whose aggregate is judged."""

from __future__ import annotations

from datetime import datetime, timedelta

from isla_console.monitor.metrics.metric import WAITING, MetricRule, MetricTracker, Reading
from isla_console.monitor.metrics.window import Aggregate, Window


class MetricPipeline:
    """Gathers a metric's measurements in its window and passes the aggregate to its tracker."""

    def __init__(
        self, rule: MetricRule, aggregate: Aggregate, window_s: float, *, unknown: str = WAITING
    ) -> None:
        """Begin without a measurement.

        Args:
            rule: The metric's bounds, unit and interval.
            aggregate: How the window's measurements make one value.
            window_s: The length of the window in seconds.
            unknown: The reason shown until the first sample, such as "set ISLA_DATABASE_URL".
        """
        self.rule = rule
        self._aggregate = aggregate
        self._window = Window(window_s)
        self._tracker = MetricTracker(rule, unknown=unknown)
        self._evaluated_at: datetime | None = None

    def add(self, value: float, at: datetime, n: int = 1) -> None:
        """Take in a measurement.

        Args:
            value: In the metric's unit.
            at: When it was measured.
            n: How many single measurements it is made of, where the far side has counted them; only the
                aggregate `last` uses it.
        """
        if self._aggregate == "last":
            self._tracker.observe(value, at, n)
            return
        self._window.add(at, value)
        self._evaluate(at, bad=sum(map(self.rule.alert.holds, self._window.values())))

    def count(self, failed: bool, at: datetime) -> None:
        """Take in a failure or a success; the aggregate `rate` is the share of failures."""
        self._window.add(at, 1.0 if failed else 0.0)
        if self._is_due(at):
            self._evaluate(at, bad=sum(map(bool, self._window.values())))

    def missing(self, reason: str, at: datetime, *, ours: bool = False) -> None:
        """Note that a sample gave no measurement; `ours` by a fault of our own."""
        self._tracker.missing(reason, at, ours=ours)

    def resume(self, at: datetime) -> None:
        """Go on after being blind, which does not count as having had no sample."""
        self._tracker.resume(at)

    def reading(self, now: datetime, blind: bool = False) -> Reading:
        """Return the metric at `now`; the same object as before while nothing has changed."""
        return self._tracker.reading(now, blind)

    def _is_due(self, at: datetime) -> bool:
        """Return whether an interval has passed, nearly: several probes may bring samples meanwhile."""
        interval = timedelta(seconds=self.rule.every_s * 0.9)
        last = self._evaluated_at
        return last is None or not timedelta() <= at - last < interval

    def _evaluate(self, at: datetime, bad: int) -> None:
        value = self._window.aggregate(self._aggregate)
        if value is not None:
            self._evaluated_at = at
            self._tracker.observe(value, at, self._window.count, bad=bad)
