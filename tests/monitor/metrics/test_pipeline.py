"""How measurements become one metric: the window's aggregate, and how many stand behind it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.monitor.metrics.pipeline import MetricPipeline
from isla_console.monitor.metrics.window import Aggregate
from tests.monitor.metrics.test_metric import rule
from tests.support.servers import at


def pipeline(aggregate: Aggregate, window_s: float = 60, **options: Any) -> MetricPipeline:
    return MetricPipeline(rule(**options), aggregate, window_s)


@pytest.mark.parametrize(
    ("aggregate", "expected", "n"), [("last", 20, 1), ("max", 60, 3), ("mean", 40, 3), ("p95", 60, 3)]
)
def test_the_aggregate_is_what_is_shown(aggregate: Aggregate, expected: float, n: int) -> None:
    metric = pipeline(aggregate)
    for seconds, value in enumerate((40, 60, 20)):
        metric.add(value, at(seconds))
    reading = metric.reading(at(2))
    assert (reading.value, reading.n) == (expected, n)


def test_what_left_the_window_counts_no_more() -> None:
    metric = pipeline("max", 10)
    for seconds, value in ((0, 90), (5, 30), (11, 20)):
        metric.add(value, at(seconds))
    assert (metric.reading(at(11)).value, metric.reading(at(11)).n) == (30, 2)


def test_a_count_of_many_says_of_how_many() -> None:
    metric = pipeline("last")
    metric.add(97, at(0), n=412)
    assert metric.reading(at(0)).n == 412


def test_a_missing_measurement_keeps_the_value_and_says_why() -> None:
    metric = pipeline("last")
    assert metric.reading(at(0)).reason == "waiting for the first sample"
    metric.add(7, at(0))
    metric.missing("connection refused", at(5))
    reading = metric.reading(at(5))
    assert (reading.value, reading.reason, reading.history) == (7, "connection refused", (7, None))


@given(st.lists(st.booleans(), min_size=1, max_size=120))
def test_the_rate_is_the_share_of_failures(oks: list[bool]) -> None:
    metric = pipeline("rate", 300, normal="< 0.1 %", alert="> 1 %", every_s=3.0, unit="%", decimals=2)
    for index, ok in enumerate(oks):
        metric.count(not ok, at(index * 3))
    window = oks[-100:]
    assert metric.reading(at(len(oks) * 3)).value == pytest.approx(100 * window.count(False) / len(window))
