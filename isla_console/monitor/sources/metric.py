"""The base of metrics that are measured by a source of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from isla_console.monitor.http.prober import MAX_BODY
from isla_console.monitor.metrics.metric import WAITING, MetricRule, Reading
from isla_console.monitor.metrics.pipeline import MetricPipeline
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.metrics.window import Aggregate
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.source import TIMEOUT_SHARE, Source

if TYPE_CHECKING:
    from isla_console.runbook.model import MetricSpec


HTTP_TIMEOUT_S = 5.0


def metric_source_id(metric_id: str) -> str:
    """Return the id of a metric's source, which differs from the metric's: a probe may have the same id."""
    return f"metric:{metric_id}"


class MetricSource(Source[Reading]):
    """A metric with a source of its own.

    A kind of metric source says how it is asked; one whose samples are not simply numbers also says, in
    `observe`, what it takes from them.
    """

    def __init__(
        self,
        spec: MetricSpec,
        label: str,
        *,
        unset: str = "",
        every_s: float | None = None,
        aggregate: Aggregate | None = None,
        follows: Iterable[str] | None = None,
    ) -> None:
        """Begin without a sample.

        Args:
            spec: The metric as the runbook describes it.
            label: Where it is measured, for people, such as "sql".
            unset: As in `Source`.
            every_s: Seconds between two samples; the runbook's unless given.
            aggregate: How a window makes one value; the runbook's unless given.
            follows: As in `Source`.
        """
        every_s, source = every_s or spec.every_s, spec.source
        super().__init__(metric_source_id(spec.id), every_s, unset=unset, follows=follows)
        rule = MetricRule(
            id=spec.id,
            title=spec.title,
            short=spec.short,
            unit=spec.unit,
            decimals=spec.decimals,
            normal=spec.normal,
            alert=spec.alert,
            every_s=every_s,
            source=label,
            percentile=source.aggregate == "p95",
        )
        how = aggregate or source.aggregate
        self.pipeline = MetricPipeline(rule, how, source.window_s, unknown=unset or WAITING)

    def observe(self, sample: Sample) -> None:
        """Take in the number called `value`, or the first number of the sample."""
        values = sample.values
        value = values.get("value", next(iter(values.values()), None)) if sample.ok else None
        if value is None:
            self.pipeline.missing(sample.reason or "the answer has no value", sample.at, ours=sample.ours)
        else:
            self.pipeline.add(value, sample.at)

    def resume(self, at: datetime) -> None:
        """Go on after being blind."""
        self.pipeline.resume(at)

    def reading(self, now: datetime, blind: bool = False) -> Reading:
        """Return the metric at `now`."""
        return self.pipeline.reading(now, blind)


class HttpMetric(MetricSource):
    """The base of metrics that one request over HTTP gives."""

    def __init__(
        self, spec: MetricSpec, context: Context, label: str, url: str, *, max_body: int = MAX_BODY
    ) -> None:
        """Build the request; `max_body` is the most bytes that are read of the answer."""
        timeout_s = min(HTTP_TIMEOUT_S, spec.every_s * TIMEOUT_SHARE)
        check, missing = context.inputs.request(
            metric_source_id(spec.id), "GET", url, spec.source.headers, timeout_s
        )
        unset = context.inputs.missing_text(missing) if check is None else ""
        super().__init__(spec, label, unset=unset)
        self.request = replace(check, max_body=max_body) if check is not None else None
        self._credential = context.inputs.secret_variables(spec.source.headers.values())
        self._http = context.http

    async def fetch(self) -> tuple[Sample, bytes]:
        """Make the request; a token that is refused is a setting of ours, not the platform's trouble."""
        assert self.request is not None, self.unset
        sample, body = await self._http.fetch(self.request)
        status = sample.phases.status if sample.phases else None
        if self._credential and status in {401, 403}:
            reason = f"{status}, our token is refused: look at {self._credential}"
            return replace(sample, reason=reason, ours=True), body
        return sample, body
