"""How samples become a metric: what counts, and what a timeout is worth."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.monitor.metrics.pipeline import MetricPipeline
from isla_console.monitor.metrics.sample import Phases, Sample
from isla_console.monitor.plan import MetricPlan
from tests.monitor.metrics.test_metric import rule
from tests.support.servers import at


def latency(**options: Any) -> MetricPipeline:
    return MetricPipeline(
        MetricPlan(
            rule(every_s=2.5, percentile=True),
            "p95",
            60,
            probes=frozenset({"redirect"}),
            **{"measure": "server_time", **options},
        )
    )


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
    pipeline = latency()
    pipeline.take(answered(0, 40))
    assert pipeline.tracker.reading(at(0)).value == 40
    pipeline = latency(measure="total")
    pipeline.take(answered(0, 40))
    assert pipeline.tracker.reading(at(0)).value == 130


def test_an_injected_delay_shows_and_alerts_after_three() -> None:
    pipeline = latency()
    for index in range(24):
        pipeline.take(answered(index * 2.5, 20))
    states = []
    for index in range(24, 27):
        pipeline.take(answered(index * 2.5, 1220))
        states.append(pipeline.tracker.state(at(index * 2.5)))
    # One of 24 is beyond the 95th percentile; two are not; the third bad one is the third that counts.
    reading = pipeline.tracker.reading(at(67))
    assert states[0] == "ok"
    assert reading.value == 1220
    pipeline.take(answered(67.5, 1220))
    assert pipeline.tracker.state(at(67.5)) == "alert"
    for index in range(28, 54):
        pipeline.take(answered(index * 2.5, 20))
    assert pipeline.tracker.state(at(53 * 2.5)) == "ok"


def test_one_slow_answer_among_few_is_no_alert() -> None:
    pipeline = latency()
    for index in range(12):
        pipeline.take(answered(index * 2.5, 1220 if index == 3 else 20))
        assert pipeline.tracker.state(at(index * 2.5)) != "alert"
    assert pipeline.tracker.reading(at(30)).provisional


def test_a_timeout_is_worth_what_was_waited() -> None:
    pipeline = latency()
    pipeline.take(answered(0, 20))
    for index in range(1, 4):
        pipeline.take(timed_out(index * 2.5))
    reading = pipeline.tracker.reading(at(8))
    assert (reading.state, reading.value) == ("alert", 2000)


def test_a_fast_failure_does_not_flatter_the_latency() -> None:
    pipeline = latency()
    pipeline.take(answered(0, 20))
    for index in range(1, 10):
        pipeline.take(refused(index * 2.5))
    reading = pipeline.tracker.reading(at(22.5))
    assert (reading.state, reading.reason, reading.value) == ("stale", "connection refused", 20)


def errors() -> MetricPipeline:
    probes = frozenset({"a", "b"})
    plan = MetricPlan(
        rule("< 0.1 %", "> 1 %", every_s=3.0, unit="%", decimals=2),
        "rate",
        300,
        probes=probes,
        measure="failed",
    )
    return MetricPipeline(plan)


def test_the_error_rate_is_over_all_probes() -> None:
    pipeline = errors()
    for index in range(10):
        pipeline.take(answered(index * 3, 20, source="a"))
        pipeline.take(refused(index * 3 + 1, "b") if index == 0 else answered(index * 3 + 1, 20, source="b"))
    reading = pipeline.tracker.reading(at(28))
    assert reading.n in {19, 20}
    assert reading.value == pytest.approx(100 / reading.n)
    # One failure, though far above 1 %: not yet an alert.
    assert reading.state == "elevated"
    for index in range(10, 14):
        pipeline.take(refused(index * 3, "b"))
    assert pipeline.tracker.state(at(40)) == "alert"


@given(st.lists(st.booleans(), min_size=1, max_size=120))
def test_the_error_rate_is_the_share_of_failures(oks: list[bool]) -> None:
    pipeline = errors()
    for index, ok in enumerate(oks):
        pipeline.take(answered(index * 3, 20, source="a") if ok else refused(index * 3, "a"))
    window = oks[-100:]
    assert pipeline.tracker.reading(at(len(oks) * 3)).value == pytest.approx(
        100 * window.count(False) / len(window)
    )


def query(**values: float) -> Sample:
    return Sample(
        "latency", at(0), bool(values), "" if values else "the query returned no value", values=values
    )


def test_a_query_gives_its_value_column_or_its_first() -> None:
    for sample, expected in ((query(max=100, value=61), 61), (query(n=7), 7)):
        pipeline = MetricPipeline(MetricPlan(rule(unit=""), "last", 15, sql="SELECT"))
        assert pipeline.wants(sample)
        pipeline.take(sample)
        assert pipeline.tracker.reading(at(0)).value == expected
    pipeline = MetricPipeline(MetricPlan(rule(), "last", 15, sql="SELECT"))
    pipeline.take(query())
    assert pipeline.tracker.reading(at(0)).reason == "the query returned no value"
