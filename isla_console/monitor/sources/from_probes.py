"""Metrics that probes measure besides their own health: how long they take, and how many fail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from isla_console.monitor.metrics.health import ProbeReading
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.metric import MetricSource
from isla_console.monitor.sources.source import NO_SOURCE, Source
from isla_console.text.spans import window_text

if TYPE_CHECKING:
    from isla_console.runbook.model import MetricSpec


class _FromProbes(MetricSource):
    """A metric that follows probes and is never asked itself."""

    def __init__(
        self,
        spec: MetricSpec,
        context: Context,
        label: str,
        probes: Iterable[Source[ProbeReading]],
        every_s: float,
    ) -> None:
        probes = tuple(probes)
        running = frozenset(probe.id for probe in probes if probe.is_asked)
        unset = ""
        if not running:
            unset = "; ".join(dict.fromkeys(probe.unset for probe in probes)) or "it names no probe"
        super().__init__(spec, label, unset=unset, every_s=every_s, follows=running)
        self._clock = context.clock

    @property
    def is_asked(self) -> bool:
        return False

    async def ask(self) -> Sample:
        return Sample(self.id, self._clock(), False, self.unset or NO_SOURCE)


class Latency(_FromProbes):
    """How long a probe takes.

    Requests that were answered as expected count with their duration, and those that timed out with the time
    that was waited: they took at least that long, and a p95 must not look healthy while everything times out.
    Other failures answer fast and would flatter it: they count in the error rate.
    """

    def __init__(self, spec: MetricSpec, context: Context) -> None:
        source = spec.source
        probes = _wanted(spec, context)
        self._server_time = source.take == "server_time"
        timing = " · server time" if self._server_time else ""
        label = f"probe {', '.join(probe.id for probe in probes)}{timing}"
        label += f" · {source.aggregate} {window_text(source.window_s)}"
        # It gets a sample when its probe does, whatever interval the runbook gives it.
        every_s = max([spec.every_s, *(probe.every_s for probe in probes if probe.is_asked)])
        super().__init__(spec, context, label, probes, every_s)

    def observe(self, sample: Sample) -> None:
        """Take in a request's duration."""
        ms = self._duration_ms(sample)
        if ms is None:
            self.pipeline.missing(sample.reason or "the answer has no value", sample.at, ours=sample.ours)
        else:
            self.pipeline.add(ms / 1000 if self.pipeline.rule.unit == "s" else ms, sample.at)

    def _duration_ms(self, sample: Sample) -> float | None:
        if sample.timed_out_ms is not None:
            return sample.timed_out_ms
        if not sample.ok or sample.phases is None:
            return None
        return sample.phases.server_ms if self._server_time else sample.phases.total_ms


class ErrorRate(_FromProbes):
    """The share of its probes' samples that failed, in percent."""

    def __init__(self, spec: MetricSpec, context: Context) -> None:
        probes = _wanted(spec, context)
        running = sum(probe.is_asked for probe in probes)
        label = f"failed of {running} probes · {window_text(spec.source.window_s)}"
        super().__init__(spec, context, label, probes, spec.every_s)
        self._unasked: set[str] = set()

    def observe(self, sample: Sample) -> None:
        """Count a request, unless it could not be made: it has neither failed nor succeeded."""
        if sample.counts:
            self._unasked.discard(sample.source)
            self.pipeline.count(not sample.ok, sample.at)
            return
        self._unasked.add(sample.source)
        if self._unasked >= self.follows:
            self.pipeline.missing(sample.reason, sample.at, ours=sample.ours)


def _wanted(spec: MetricSpec, context: Context) -> list[Source[ProbeReading]]:
    """Return the probes that the runbook names for the metric, or all of them where it names none."""
    named = spec.source.probes
    return [probe for probe in context.probes if not named or probe.id in named]
