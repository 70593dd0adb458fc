"""From measurements to one metric: gathered in a window, judged as its aggregate."""

from __future__ import annotations

from datetime import datetime, timedelta

from isla_console.monitor.metrics.metric import WAITING, MetricRule, MetricTracker, Reading
from isla_console.monitor.metrics.window import Aggregate, Window


class MetricPipeline:
    """Gathers a metric's measurements in its window and hands the aggregate to its tracker."""

    def __init__(
        self, rule: MetricRule, aggregate: Aggregate, window_s: float, *, unknown: str = WAITING
    ) -> None:
        """Args:
        unknown: the reason shown until the first sample, such as "set ISLA_DATABASE_URL".
        """
        self.rule = rule
        self._aggregate = aggregate
        self._window = Window(window_s)
        self._tracker = MetricTracker(rule, unknown=unknown)
        self._evaluated_at: datetime | None = None

    def add(self, value: float, at: datetime, n: int = 1) -> None:
        """Take a measurement.

        Args:
            value: in the metric's unit.
            at: when it was measured.
            n: single measurements behind it, where the far side has counted already; it matters to the
                aggregate `last` alone.
        """
        if self._aggregate == "last":
            self._tracker.observe(value, at, n)
            return
        self._window.add(at, value)
        self._evaluate(at, bad=sum(map(self.rule.alert.holds, self._window.values())))

    def count(self, failed: bool, at: datetime) -> None:
        """Take something that failed or did not; the aggregate `rate` is the share that failed."""
        self._window.add(at, 1.0 if failed else 0.0)
        if self._is_due(at):
            self._evaluate(at, bad=sum(map(bool, self._window.values())))

    def missing(self, reason: str, at: datetime) -> None:
        """Note that a sample gave no measurement."""
        self._tracker.missing(reason, at)

    def resume(self, at: datetime) -> None:
        """We can see again: being blind does not count as having had no sample."""
        self._tracker.resume(at)

    def reading(self, now: datetime, blind: bool = False) -> Reading:
        """The metric as it stands. The same object as before while nothing changed."""
        return self._tracker.reading(now, blind)

    def _is_due(self, at: datetime) -> bool:
        """Once an interval, though each of several probes brings samples; a little early is due."""
        interval = timedelta(seconds=self.rule.every_s * 0.9)
        last = self._evaluated_at
        return last is None or not timedelta() <= at - last < interval

    def _evaluate(self, at: datetime, bad: int) -> None:
        value = self._window.aggregate(self._aggregate)
        if value is not None:
            self._evaluated_at = at
            self._tracker.observe(value, at, self._window.count, bad=bad)
