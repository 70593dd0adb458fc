"""Metrics of probes: what counts, what a timeout is worth, and what is said where no probe runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.metrics.sample import Phases, Sample
from isla_console.monitor.sources.source import Source
from tests.support.servers import at
from tests.support.sources import a_context, all_sources, metric_spec


def probes(*ids: str) -> list[dict[str, Any]]:
    return [
        {"id": id, "title": id, "url": f"${{APP_URL}}/{id}", "every_s": 2.5, "timeout_s": 2} for id in ids
    ]


def made(source: dict[str, Any], environ: dict[str, str] | None = None, **fields: Any) -> Source[Reading]:
    """A metric of the probes redirect, a and b."""
    parts = {"health_checks": probes("redirect", "a", "b"), "probes": []}
    spec = metric_spec(source, **fields)
    context = a_context({"ISLA_APP_URL": "http://a"} if environ is None else environ)
    return all_sources(context, metrics=[spec], **parts).metrics[0]


def latency(**options: Any) -> Source[Reading]:
    source = {"kind": "probe", "probes": ["redirect"], "aggregate": "p95", "take": "server_time"}
    return made(source | options, every_s=2.5, unit="ms", normal="< 50 ms", alert="> 200 ms")


def answered(seconds: float, server_ms: float, round_trip_ms: float = 30, source: str = "redirect") -> Sample:
    phases = Phases(
        connect_ms=round_trip_ms, first_byte_ms=server_ms + round_trip_ms, total_ms=server_ms + 90
    )
    return Sample(source, at(seconds), True, phases=phases, reached=True)


def refused(seconds: float, source: str = "redirect") -> Sample:
    return Sample(source, at(seconds), False, "connection refused", Phases(total_ms=1), reached=True)


def timed_out(seconds: float) -> Sample:
    return Sample("redirect", at(seconds), False, "timed out after 2 s", timed_out_ms=2000)


def test_the_round_trip_of_our_own_is_taken_off() -> None:
    metric = latency()
    metric.observe(answered(0, 40))
    assert metric.reading(at(0)).value == 40
    metric = latency(take="total")
    metric.observe(answered(0, 40))
    assert metric.reading(at(0)).value == 130


def test_an_injected_delay_shows_and_alerts_after_three() -> None:
    metric = latency()
    for index in range(24):
        metric.observe(answered(index * 2.5, 20))
    states = []
    for index in range(24, 27):
        metric.observe(answered(index * 2.5, 1220))
        states.append(metric.reading(at(index * 2.5)).state)
    # One of 24 is beyond the 95th percentile; two are not; the third bad one is the third that counts.
    reading = metric.reading(at(67))
    assert states[0] == "ok"
    assert reading.value == 1220
    metric.observe(answered(67.5, 1220))
    assert metric.reading(at(67.5)).state == "alert"
    for index in range(28, 54):
        metric.observe(answered(index * 2.5, 20))
    assert metric.reading(at(53 * 2.5)).state == "ok"


def test_one_slow_answer_among_few_is_no_alert() -> None:
    metric = latency()
    for index in range(12):
        metric.observe(answered(index * 2.5, 1220 if index == 3 else 20))
        assert metric.reading(at(index * 2.5)).state != "alert"
    assert metric.reading(at(30)).provisional


def test_a_timeout_is_worth_what_was_waited() -> None:
    metric = latency()
    metric.observe(answered(0, 20))
    for index in range(1, 4):
        metric.observe(timed_out(index * 2.5))
    reading = metric.reading(at(8))
    assert (reading.state, reading.value) == ("alert", 2000)


def test_a_fast_failure_does_not_flatter_the_latency() -> None:
    metric = latency()
    metric.observe(answered(0, 20))
    for index in range(1, 10):
        metric.observe(refused(index * 2.5))
    reading = metric.reading(at(22.5))
    assert (reading.state, reading.reason, reading.value) == ("stale", "connection refused", 20)


def errors() -> Source[Reading]:
    source = {"kind": "error_rate", "probes": ["a", "b"], "aggregate": "rate", "window_s": 300}
    bounds = {"normal": "< 0.1 %", "alert": "> 1 %", "unit": "%", "decimals": 2}
    return made(source, every_s=3.0, **bounds)


def test_the_error_rate_is_over_all_probes() -> None:
    metric = errors()
    for index in range(10):
        metric.observe(answered(index * 3, 20, source="a"))
        metric.observe(refused(index * 3 + 1, "b") if index == 0 else answered(index * 3 + 1, 20, source="b"))
    reading = metric.reading(at(28))
    assert reading.n in {19, 20}
    assert reading.value == pytest.approx(100 / reading.n)
    # One failure, though far above 1 %: not yet an alert.
    assert reading.state == "elevated"
    for index in range(10, 14):
        metric.observe(refused(index * 3, "b"))
    assert metric.reading(at(40)).state == "alert"


@given(st.lists(st.booleans(), min_size=1, max_size=120))
def test_the_error_rate_is_the_share_of_failures(oks: list[bool]) -> None:
    metric = errors()
    for index, ok in enumerate(oks):
        metric.observe(answered(index * 3, 20, source="a") if ok else refused(index * 3, "a"))
    window = oks[-100:]
    assert metric.reading(at(len(oks) * 3)).value == pytest.approx(100 * window.count(False) / len(window))


def test_seconds_are_seconds() -> None:
    source = {"kind": "probe", "probes": ["redirect"], "aggregate": "last"}
    metric = made(source, unit="s", normal="< 1 s", alert="> 2 s", every_s=1)
    metric.observe(answered(0, 1500, 10))
    assert metric.reading(at(0)).value == 1.59
    assert metric.every_s == 2.5, "it has a sample when its probe does"


async def test_it_follows_its_probes_and_is_never_asked() -> None:
    assert latency().follows == {"redirect"}
    every = made({"kind": "error_rate", "aggregate": "rate"})
    assert every.follows == {"redirect", "a", "b"}
    assert every.reading(at(0)).source == "failed of 3 probes · 60 s"
    assert not every.is_asked
    assert (await every.ask()).reason == "it has no source of its own"


async def test_without_a_probe_that_runs_it_says_what_to_set() -> None:
    metric = made({"kind": "error_rate", "aggregate": "rate"}, {})
    assert (metric.follows, metric.unset) == (frozenset(), "set ISLA_APP_URL")
    assert metric.reading(at(0), blind=True).state == "unknown"
    assert (await metric.ask()).reason == "set ISLA_APP_URL"
