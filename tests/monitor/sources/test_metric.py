"""A metric with a source of its own: which of its numbers counts, and what it says without one."""

from __future__ import annotations

import pytest

from isla_console.monitor.metrics.sample import Sample
from tests.support.servers import at
from tests.support.sources import a_context, a_metric

SQL = {"kind": "postgres", "query": "SELECT 1"}


def answer(**values: float) -> Sample:
    reason = "" if values else "the query returned no value"
    return Sample("metric:latency", at(0), bool(values), reason, values=values)


@pytest.mark.parametrize(
    ("sample", "expected"), [(answer(max=100, value=61), 61), (answer(n=7), 7), (answer(), None)]
)
def test_its_value_counts_or_else_its_first_number(sample: Sample, expected: float | None) -> None:
    metric = a_metric(a_context({"ISLA_DATABASE_URL": "postgresql://a:b@db/x"}), SQL)
    assert metric.follows == {"metric:latency"}
    metric.observe(sample)
    reading = metric.reading(at(0))
    assert (reading.value, reading.reason, reading.n) == (expected, sample.reason, 1 if expected else 0)


def test_what_waits_for_a_setting_says_so_also_while_blind() -> None:
    metric = a_metric(a_context(), SQL)
    assert not metric.is_asked
    reading = metric.reading(at(0), blind=True)
    assert (reading.state, reading.reason) == ("unknown", "set ISLA_DATABASE_URL")
