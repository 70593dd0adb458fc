"""From a probe's or query's samples to one metric. Pure: time comes with the samples."""

from __future__ import annotations

from datetime import datetime, timedelta

from isla_console.monitor.metrics.metric import WAITING, MetricTracker
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.metrics.window import Window
from isla_console.monitor.plan import MetricPlan


class MetricPipeline:
    """Gathers a metric's measurements in its window and hands the aggregate to its tracker.

    A latency takes the requests that were answered as expected, and those that timed out with the
    time that was waited: they took at least that long, and a p95 must not look healthy while
    everything times out. Other failures answer fast and would flatter it: they count in the error
    rate, which is the failed samples of all its probes among all of them, in percent.
    """

    def __init__(self, plan: MetricPlan) -> None:
        self.plan = plan
        self.tracker = MetricTracker(plan.rule, unknown=plan.unknown or WAITING)
        self._window = Window(plan.window_s)
        self._evaluated_at: datetime | None = None

    def wants(self, sample: Sample) -> bool:
        """Whether the sample is one of this metric's."""
        return sample.source in self.plan.probes or sample.source == self.plan.rule.id

    def take(self, sample: Sample) -> None:
        """Take one of this metric's samples."""
        if self.plan.measure == "failed":
            self._window.add(sample.at, 0.0 if sample.ok else 1.0)
            if self._due(sample.at):
                self._evaluate(sample.at, bad=sum(map(bool, self._window.values())))
            return
        value = self._measurement(sample)
        if value is None:
            self.tracker.missing(sample.reason or "the answer has no value", sample.at)
            return
        self._window.add(sample.at, value)
        alert = self.plan.rule.alert
        single = self.plan.aggregate == "last"
        if self.plan.payments:
            # The number is a count of many already, made by the far side.
            self.tracker.observe(value, sample.at, int(sample.values.get("n", 1)))
            return
        bad = None if single else sum(map(alert.holds, self._window.values()))
        self._evaluate(sample.at, bad)

    def _measurement(self, sample: Sample) -> float | None:
        if not self.plan.probes:
            values = sample.values
            return values.get("value", next(iter(values.values()), None)) if sample.ok else None
        if sample.timed_out_ms is not None:
            return self._in_unit(sample.timed_out_ms)
        if not sample.ok or sample.phases is None:
            return None
        phases = sample.phases
        ms = phases.server_ms if self.plan.measure == "server_time" else phases.total_ms
        return None if ms is None else self._in_unit(ms)

    def _in_unit(self, ms: float) -> float:
        return ms / 1000 if self.plan.rule.unit == "s" else ms

    def _due(self, at: datetime) -> bool:
        """Once an interval, though each of several probes brings samples; a little early is due."""
        interval = timedelta(seconds=self.plan.rule.every_s * 0.9)
        last = self._evaluated_at
        return last is None or not timedelta() <= at - last < interval

    def _evaluate(self, at: datetime, bad: int | None) -> None:
        value = self._window.aggregate(self.plan.aggregate)
        if value is None:
            return
        self._evaluated_at = at
        n = 1 if self.plan.aggregate == "last" else self._window.count
        self.tracker.observe(value, at, n, bad=bad)
