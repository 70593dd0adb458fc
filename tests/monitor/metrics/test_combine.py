"""One number of several: only where the runbook says which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.monitor.metrics.combine import MOST, NotOneError, one_of, way_of

NUMBERS = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("combine", "value"), [("sum", 12), ("mean", 4), ("max", 7), ("min", 2), (None, None)]
)
def test_ways(combine: str | None, value: float | None) -> None:
    if value is None:
        with pytest.raises(NotOneError, match="3 series, one is wanted: narrow it down, or write `combine`"):
            one_of([3, 7, 2], None, "series")
    else:
        assert one_of([3, 7, 2], combine, "series") == value  # type: ignore[arg-type]


def test_worst_is_what_it_means_for_the_metric() -> None:
    assert way_of("worst", "lower") == "max"
    assert way_of("worst", "higher") == "min"
    assert way_of("sum", "higher") == "sum"
    assert way_of(None, "lower") is None


def test_none_and_far_too_many() -> None:
    with pytest.raises(NotOneError, match="no row, one is wanted"):
        one_of([], "sum", "row")
    with pytest.raises(NotOneError, match="more than 10,000 rows"):
        one_of([1.0] * (MOST + 1), "sum", "row")


@given(st.floats(-1e9, 1e9), st.sampled_from([None, "sum", "mean", "max", "min"]))
def test_one_number_is_itself(value: float, combine: str | None) -> None:
    assert one_of([value], combine, "row") == value  # type: ignore[arg-type]


@given(NUMBERS)
def test_no_way_leaves_the_numbers(values: list[float]) -> None:
    least, greatest = min(values), max(values)
    assert one_of(values, "min", "row") == least
    assert one_of(values, "max", "row") == greatest
    assert least - 1e-3 <= one_of(values, "mean", "row") <= greatest + 1e-3
