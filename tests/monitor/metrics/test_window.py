"""The window: what it keeps, and that its percentile is the textbook's nearest rank."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.monitor.metrics.window import Aggregate, Window
from tests.support.servers import at

values = st.floats(min_value=0, max_value=1e6, allow_nan=False)


def filled(numbers: list[float], seconds: float = 60) -> Window:
    window = Window(seconds)
    for index, number in enumerate(numbers):
        window.add(at(index / 1000), number)
    return window


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([7.0], 7.0),
        ([1.0, 2.0], 2.0),
        ([float(n) for n in range(1, 20)], 19.0),
        ([float(n) for n in range(1, 21)], 19.0),
        ([float(n) for n in range(1, 101)], 95.0),
        ([5.0] * 19 + [900.0], 5.0),
        ([5.0] * 18 + [900.0, 900.0], 900.0),
    ],
)
def test_p95_is_the_nearest_rank(numbers: list[float], expected: float) -> None:
    assert filled(numbers).percentile(95) == expected


@given(st.lists(values, min_size=1, max_size=80), st.integers(min_value=1, max_value=100))
def test_a_percentile_is_a_measured_value_with_enough_below_it(numbers: list[float], percent: int) -> None:
    found = filled(numbers).percentile(percent)
    assert found in numbers
    below = sum(number <= found for number in numbers)
    assert below >= math.ceil(percent / 100 * len(numbers))


@given(st.lists(st.tuples(st.floats(0, 500), values), max_size=60))
def test_whatever_the_clock_does_nothing_old_or_ahead_is_kept(entries: list[tuple[float, float]]) -> None:
    window = Window(30)
    for seconds, value in entries:
        window.add(at(seconds), value)
        kept = [moment for moment, _ in window._entries]
        assert kept == sorted(kept)
        assert all(at(seconds - 30) < moment <= at(seconds) for moment in kept)
        assert window.last == value


def test_what_is_exactly_as_old_as_the_window_is_out() -> None:
    window = Window(10)
    window.add(at(0), 1)
    window.prune(at(9.999))
    assert window.count == 1
    window.prune(at(10))
    assert window.count == 0


@pytest.mark.parametrize(
    ("how", "expected"), [("last", 0.0), ("max", 1.0), ("mean", 0.25), ("rate", 25.0), ("p95", 1.0)]
)
def test_aggregates(how: Aggregate, expected: float) -> None:
    assert filled([0.0, 1.0, 0.0, 0.0]).aggregate(how) == expected


def test_an_empty_window_has_no_value() -> None:
    window = Window(10)
    assert [window.aggregate("p95"), window.aggregate("rate"), window.last, window.rate()] == [None] * 4
