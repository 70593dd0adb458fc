"""A metric from an exposition, which a service offers to Prometheus, scraped as Prometheus does.

A gauge is shown as it is, a counter as its rate per second between two samples. A counter that is lower than
before has restarted from zero, as Prometheus assumes: its rate is never negative.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from isla_console.monitor.http.answers import clock_offset
from isla_console.monitor.metrics.combine import MOST, one_of, way_of
from isla_console.monitor.metrics.metric import STALE_INTERVALS
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.metric import HttpMetric
from isla_console.settings.secret import Secret
from isla_console.text.brief import brief

if TYPE_CHECKING:
    from isla_console.runbook.model import MetricSpec

MAX_EXPOSITION = 4 * 1024 * 1024
"""The most bytes that are read of an exposition; a node exporter's has a twentieth of that."""
STALE_S = 300.0
"""Seconds after which a series with an own timestamp is over; Prometheus looks back as far."""
SECOND_WANTED = "waiting for the second sample: a rate lies between two"
NOT_ANEW = "not counted anew since the last sample"

_OPENMETRICS = "application/openmetrics-text"
_ACCEPT = f"{_OPENMETRICS};version=1.0.0,text/plain;version=0.0.4;q=0.5"
_COUNTED = ("_total", "_count", "_sum", "_bucket")
"""Suffixes of series that only grow: the first is a counter's, the others a histogram's and a summary's."""

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an exposition. `at` is its own timestamp in seconds since 1970, None without one."""

    labels: Labels
    value: float
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Scrape:
    """The wanted series of one exposition."""

    series: tuple[Series, ...]
    is_counter: bool = False


class OpenMetrics(HttpMetric):
    """A metric scraped from an exposition endpoint, in Prometheus's text format or in OpenMetrics."""

    def __init__(self, spec: MetricSpec, context: Context) -> None:
        source = spec.source
        self._metric, self._labels = source.metric or "", source.labels
        self._combine = way_of(source.combine, spec.better)
        label = f"openmetrics {self._metric}"
        super().__init__(spec, context, label, source.url or "", max_body=MAX_EXPOSITION)
        request = self.request
        if request is not None and "accept" not in {name.lower() for name, _ in request.headers}:
            self.request = replace(request, headers=(("Accept", Secret(_ACCEPT)), *request.headers))
        self._before: tuple[datetime, Scrape] | None = None

    async def ask(self) -> Sample:
        """Return a sample whose `detail` is a Scrape, or why the series give no number."""
        sample, body = await self.fetch()
        if not sample.ok:
            return sample
        kind = sample.phases.content_type if sample.phases else ""
        try:
            # In a thread, because thousands of series take a while.
            found = await asyncio.to_thread(read, body, kind, self._metric, self._labels)
        except ValueError as error:
            return replace(sample, ok=False, reason=str(error))
        fresh = _fresh(found, (sample.at + clock_offset(sample)).timestamp())
        reason = self._problem(fresh, stale=len(found.series) - len(fresh.series))
        return replace(sample, ok=not reason, reason=reason, detail=fresh)

    def observe(self, sample: Sample) -> None:
        """Take in a scrape: its gauge, or its counter's rate since the scrape before."""
        scrape = sample.detail if sample.ok else None
        if not isinstance(scrape, Scrape):
            self.pipeline.missing(sample.reason or "the answer has no value", sample.at, ours=sample.ours)
            return
        values = [series.value for series in scrape.series]
        if scrape.is_counter:
            before, self._before = self._before, (sample.at, scrape)
            if before is None or (sample.at - before[0]).total_seconds() > STALE_INTERVALS * self.every_s:
                self.pipeline.missing(SECOND_WANTED, sample.at)
                return
            values = rates(before, (sample.at, scrape))
        value = one_of(values, self._combine or "sum", "series") if values else math.nan
        if math.isfinite(value):
            self.pipeline.add(value, sample.at)
        else:
            self.pipeline.missing(f"{value} is no number" if values else NOT_ANEW, sample.at)

    def _problem(self, scrape: Scrape, stale: int) -> str:
        """Return why the series give no number, "" where they do; `stale` counts those that are too old."""
        many, name = len(scrape.series), selector(self._metric, self._labels)
        if not many and stale:
            return f"{name} is stale: its own time is more than {STALE_S / 60:g} min ago"
        if not many:
            return f"there is no {name}"
        if many > 1 and self._combine is None:
            return f"{many} series match {name}: one is wanted, or `combine`"
        if many > MOST:
            return f"more than {MOST:,} series match {name}"
        for series in scrape.series:
            if not math.isfinite(series.value):
                return f"{name} is {series.value}: no number"
            if scrape.is_counter and series.value < 0:
                return f"{name} is {series.value:g}: no counter is negative"
        return ""


def read(body: bytes, content_type: str, metric: str, labels: Mapping[str, str]) -> Scrape:
    """Return the series of a metric that have certain labels, and perhaps others.

    Args:
        body: The exposition.
        content_type: Without parameters; it says which of the two formats it is.
        metric: The name of the series.
        labels: Each label with its exact value; "" means that a series does not have it.

    Raises:
        ValueError: It is not an exposition; the text is safe to show.
    """
    if len(body) >= MAX_EXPOSITION:
        raise ValueError(f"the answer is larger than {MAX_EXPOSITION // 1024} KiB")
    if content_type == "text/html" or body.lstrip()[:1] == b"<":
        raise ValueError("answered with a web page, not with metrics")
    found: list[Series] = []
    is_counter = False
    try:
        for family, one in _samples(body.decode("utf-8"), content_type == _OPENMETRICS, metric):
            if all(one.labels.get(name, "") == value for name, value in labels.items()):
                at = None if one.timestamp is None else float(one.timestamp)
                found.append(Series(tuple(sorted(one.labels.items())), float(one.value), at))
                is_counter = is_counter or _is_counter(family.type, one.name)
    except Exception:  # the parser raises whatever it stumbles over, and may quote it
        raise ValueError("the answer is no exposition of metrics") from None
    return Scrape(tuple(found), is_counter)


def _samples(text: str, is_openmetrics: bool, metric: str) -> Iterable[tuple[Any, Any]]:
    """Return each sample of a name, with its family, by prometheus-client's parser."""
    from prometheus_client import parser as plain
    from prometheus_client.openmetrics import parser as openmetrics

    parse = (openmetrics if is_openmetrics else plain).text_string_to_metric_families
    # Parsing the rest of a large exposition would take seconds.
    family = next((metric.removesuffix(end) for end in _COUNTED if metric.endswith(end)), metric)
    wanted = "".join(f"{line}\n" for line in text.split("\n") if family in line or line == "# EOF")
    # A counter may be named with its suffix or, like its family, without.
    names = {"counter": (metric, f"{metric}_total")}
    for found in parse(wanted):
        for one in found.samples:
            if one.name in names.get(found.type, (metric,)):
                yield found, one


def _is_counter(kind: str, name: str) -> bool:
    if kind == "counter":
        return name.endswith(_COUNTED[0])
    return kind in {"histogram", "summary"} and name.endswith(_COUNTED[1:])


def _fresh(scrape: Scrape, now: float) -> Scrape:
    """Return the scrape without stale series; `now` is in seconds since 1970, by the far side's clock."""
    kept = (one for one in scrape.series if one.at is None or now - one.at <= STALE_S)
    return replace(scrape, series=tuple(kept))


def rates(before: tuple[datetime, Scrape], after: tuple[datetime, Scrape]) -> list[float]:
    """Return the rate per second of each series that both scrapes have and that was counted in between."""
    known = {series.labels: series for series in before[1].series}
    found = []
    for series in after[1].series:
        old = known.get(series.labels)
        if old is None:
            continue
        seconds = (after[0] - before[0]).total_seconds()
        if old.at is not None and series.at is not None:
            seconds = series.at - old.at
        if seconds > 0:
            since_reset = series.value < old.value
            found.append((series.value if since_reset else series.value - old.value) / seconds)
    return found


def selector(metric: str, labels: Mapping[str, str]) -> str:
    """Return the metric with its labels, in Prometheus's notation."""
    wanted = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return brief(f"{metric}{{{wanted}}}" if wanted else metric, 80)
