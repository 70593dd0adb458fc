"""Expositions as prometheus-client writes them, scraped over a real socket: what is a number, and why not."""

from __future__ import annotations

import asyncio
import contextlib
import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from isla_console.monitor.http.prober import HttpProber
from isla_console.monitor.metrics.sample import Phases, Sample
from isla_console.monitor.sources.openmetrics import (
    MAX_EXPOSITION,
    NOT_ANEW,
    SECOND_WANTED,
    OpenMetrics,
    Scrape,
    Series,
    rates,
    read,
    selector,
)
from tests.support.servers import START, Endpoints, at, utcnow
from tests.support.sources import a_context, metric_spec

OPENMETRICS = "application/openmetrics-text"
TEXT = "text/plain"


def source(url: str = "http://a/metrics", prober: Any = None, **parts: Any) -> OpenMetrics:
    given = {"kind": "openmetrics", "url": url, "metric": "http_requests_total"} | parts
    return OpenMetrics(metric_spec(given, every_s=5), a_context(http=prober))


class Service:
    """A service with metrics of its own, on a loopback port."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("http_requests", "Requests.", ["code", "path"], registry=self.registry)
        self.depth = Gauge("queue_depth", "Depth.", registry=self.registry)
        self.took = Histogram("took_seconds", "Time.", registry=self.registry)
        self.accepts: list[str] = []
        self.format = ""
        """The Accept that it goes by, instead of the one it is sent."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        [accept] = [line[8:] for line in head.split("\r\n") if line.lower().startswith("accept: ")]
        self.accepts.append(accept)
        encode, content_type = choose_encoder(self.format or accept)
        body = encode(self.registry)
        answer = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(answer.encode() + body)
        await writer.drain()


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.mark.parametrize("format", [f"{OPENMETRICS};version=1.0.0", f"{TEXT};version=0.0.4"])
async def test_both_formats_are_scraped(
    endpoints: Endpoints, prober: HttpProber, service: Service, format: str
) -> None:
    service.format = format
    url = await endpoints.url(service.handle)
    service.depth.set(61.5)
    gauge = source(url, prober, metric="queue_depth")
    gauge.observe(await gauge.ask())
    assert (gauge.reading(utcnow()).value, gauge.reading(utcnow()).source) == (
        61.5,
        "openmetrics queue_depth",
    )
    service.requests.labels("200", "/").inc(1000)
    service.requests.labels("500", "/").inc(5)
    counter = source(url, prober, labels={"code": "500"})
    counter.observe(await counter.ask())
    assert (counter.reading(utcnow()).value, counter.reading(utcnow()).reason) == (None, SECOND_WANTED)
    first = utcnow()
    service.requests.labels("500", "/").inc(50)
    await asyncio.sleep(0.05)
    counter.observe(await counter.ask())
    value = counter.reading(utcnow()).value
    assert value is not None
    assert 50 / (utcnow() - first + timedelta(seconds=1)).total_seconds() < value <= 50 / 0.05
    assert service.accepts[0].startswith(OPENMETRICS)


async def test_a_histograms_count_is_a_counter(
    endpoints: Endpoints, prober: HttpProber, service: Service
) -> None:
    service.took.observe(0.2)
    url = await endpoints.url(service.handle)
    for metric, is_counter in (("took_seconds_count", True), ("queue_depth", False)):
        found = (await source(url, prober, metric=metric).ask()).detail
        assert isinstance(found, Scrape)
        assert (len(found.series), found.is_counter) == (1, is_counter)


async def test_an_accept_of_the_runbooks_own_is_kept(
    endpoints: Endpoints, prober: HttpProber, service: Service
) -> None:
    url = await endpoints.url(service.handle)
    await source(url, prober, metric="queue_depth", headers={"accept": TEXT}).ask()
    assert service.accepts == [TEXT]


BODY = """\
# TYPE http_requests_total counter
http_requests_total{code="200",path="/"} 1000
http_requests_total{code="500",path="/"} 5
http_requests_total{code="500",path="/a"} 7
# TYPE empty gauge
empty NaN
# TYPE below_total counter
below_total -1
# TYPE over gauge
over +Inf
# TYPE dated gauge
dated 3 %d
# TYPE old gauge
old 3 %d
"""


class Says:
    """Answers with this body, at START."""

    def __init__(self, body: bytes, content_type: str = TEXT, status: int = 200) -> None:
        self.body = body
        self.phases = Phases(status=status, content_type=content_type)

    async def fetch(self, check: Any) -> tuple[Sample, bytes]:
        reason = "" if self.phases.status == 200 else "500 instead of 200"
        return Sample(check.id, START, not reason, reason, self.phases, reached=True), self.body


def milliseconds(age_s: float) -> int:
    return int((START.timestamp() - age_s) * 1000)


WHOLE = (BODY % (milliseconds(10), milliseconds(400))).encode()


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({}, "3 series match http_requests_total: one is wanted, or `combine`"),
        (
            {"labels": {"code": "500"}},
            '2 series match http_requests_total{code="500"}: one is wanted, or `combine`',
        ),
        ({"labels": {"code": "500", "path": "/a"}}, ""),
        ({"labels": {"code": "200", "host": ""}}, ""),
        ({"metric": "http_requests", "labels": {"code": "200"}}, ""),
        ({"labels": {"code": "50"}}, 'there is no http_requests_total{code="50"}'),
        ({"combine": "max"}, ""),
        ({"metric": "nowhere"}, "there is no nowhere"),
        ({"metric": "http_requests_tota"}, "there is no http_requests_tota"),
        ({"metric": "empty"}, "empty is nan: no number"),
        ({"metric": "over", "combine": "sum"}, "over is inf: no number"),
        ({"metric": "below"}, "below is -1: no counter is negative"),
        ({"metric": "dated"}, ""),
        ({"metric": "old"}, "old is stale: its own time is more than 5 min ago"),
    ],
)
async def test_what_is_no_number_says_why(parts: dict[str, Any], reason: str) -> None:
    sample = await source(prober=Says(WHOLE), **parts).ask()
    assert (sample.ok, sample.reason) == (not reason, reason)


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (Says(b"<html>", "text/html"), "answered with a web page, not with metrics"),
        (Says(b" <html>http_requests_total"), "answered with a web page, not with metrics"),
        (Says(b"http_requests_total{"), "the answer is no exposition of metrics"),
        (Says(b"http_requests_total \xff"), "the answer is no exposition of metrics"),
        (Says(b"http_requests_total 1\n", OPENMETRICS), "the answer is no exposition of metrics"),
        (Says(b"x" * MAX_EXPOSITION), "the answer is larger than 4096 KiB"),
        (Says(b"", status=500), "500 instead of 200"),
        (Says(b""), "there is no http_requests_total"),
    ],
)
async def test_what_is_no_exposition_says_so(says: Says, reason: str) -> None:
    sample = await source(prober=says).ask()
    assert (sample.ok, sample.reason) == (False, reason)


def scrape(*counts: float | None, is_counter: bool = True, at_s: float | None = None) -> Scrape:
    """Series a, b, …; None for one that is not there."""
    each = zip("abcdef", counts, strict=False)
    series = tuple(Series((("s", name),), value, at_s) for name, value in each if value is not None)
    return Scrape(series, is_counter)


def take(metric: OpenMetrics, seconds: float, found: Scrape) -> tuple[float | None, str]:
    metric.observe(Sample(metric.id, at(seconds), True, reached=True, detail=found))
    reading = metric.reading(at(seconds))
    return reading.value, reading.reason


def test_a_counter_is_its_rate_and_a_reset_begins_at_zero() -> None:
    metric = source()
    assert take(metric, 0, scrape(100)) == (None, SECOND_WANTED)
    assert take(metric, 5, scrape(150)) == (10, "")
    assert take(metric, 10, scrape(150)) == (0, "")
    assert take(metric, 15, scrape(20)) == (4, "")
    assert take(metric, 15, scrape(30)) == (4, NOT_ANEW)


def test_its_own_time_counts_where_it_has_one() -> None:
    metric = source()
    take(metric, 0, scrape(100, at_s=1000))
    assert take(metric, 5, scrape(100, at_s=1000)) == (None, NOT_ANEW)
    assert take(metric, 10, scrape(160, at_s=1030)) == (2, "")


def test_after_a_gap_it_begins_anew() -> None:
    metric = source()
    take(metric, 0, scrape(100))
    metric.observe(Sample(metric.id, at(5), False, "connection refused"))
    assert metric.reading(at(5)).reason == "connection refused"
    assert take(metric, 10, scrape(120)) == (2, "")
    assert take(metric, 26, scrape(10_000)) == (2, SECOND_WANTED)


@pytest.mark.parametrize(("combine", "rate", "gauge"), [("sum", 13, 24), ("max", 10, 15), ("min", 3, 9)])
def test_several_series_are_combined_as_rates(combine: str, rate: float, gauge: float) -> None:
    metric = source(combine=combine)
    take(metric, 0, scrape(100, 1000, None))
    # The second began anew; the third is new, and has no rate yet.
    assert take(metric, 5, scrape(150, 15, 1_000_000)) == (rate, "")
    metric = source(combine=combine)
    assert take(metric, 0, scrape(9, 15, is_counter=False)) == (gauge, "")


COUNTS = st.lists(st.floats(0, allow_nan=False, allow_infinity=False), min_size=2, max_size=12)


@given(COUNTS, st.lists(st.floats(-5, 20), min_size=12, max_size=12))
def test_a_rate_is_never_negative_nor_none_at_all(counts: list[float], steps: list[float]) -> None:
    metric, seconds = source(), 0.0
    for count, step in zip(counts, steps, strict=False):
        seconds += step
        value, _ = take(metric, seconds, scrape(count))
        assert value is None or (value >= 0 and math.isfinite(value))


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=10))
def test_without_a_reset_the_rates_add_up_to_what_was_counted(counts: list[float]) -> None:
    counts.sort()
    pairs = zip(range(len(counts)), counts, counts[1:], strict=False)
    found = [rates((at(i), scrape(old)), (at(i + 1), scrape(new))) for i, old, new in pairs]
    assert math.fsum(rate for [rate] in found) == pytest.approx(counts[-1] - counts[0], abs=1e-3)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.dictionaries(st.tuples(TEXTS, TEXTS), st.floats(allow_nan=False), max_size=6), st.booleans())
def test_what_prometheus_client_writes_is_read_back(
    series: dict[tuple[str, str], float], is_openmetrics: bool
) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("depth", "Has \\ and \n and depth.", ["one", "two"], registry=registry)
    Gauge("depths", "Another.", registry=registry).set(1)
    for labels, value in series.items():
        gauge.labels(*labels).set(value)
    encode, content_type = choose_encoder(OPENMETRICS if is_openmetrics else TEXT)
    body, kind = encode(registry), content_type.partition(";")[0]
    for (one, two), value in series.items():
        labels = {"one": one, "two": two}
        assert read(body, kind, "depth", labels) == Scrape((Series(tuple(labels.items()), value),))
    assert len(read(body, kind, "depth", {}).series) == len(series)


@given(st.binary(max_size=60), st.sampled_from([OPENMETRICS, TEXT, ""]))
def test_any_bytes_are_read_or_refused(body: bytes, kind: str) -> None:
    for text in (body, b"depth" + body, b"depth{" + body + b"} 1\n# EOF\n"):
        with contextlib.suppress(ValueError):
            read(text, kind, "depth", {})


def test_a_selector_is_written_as_prometheus_does() -> None:
    assert selector("up", {}) == "up"
    assert selector("up", {"job": "api", "zone": "a"}) == 'up{job="api",zone="a"}'
