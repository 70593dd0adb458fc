"""Metrics whose answer has more than one number: nothing is taken silently; the runbook says what is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from isla_console.monitor.http.prober import HttpProber
from isla_console.monitor.metrics.combine import NotOneError
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.database import numbers_in
from isla_console.monitor.sources.source import Source
from tests.support.servers import Endpoints
from tests.support.sources import a_context, a_metric


async def asked(endpoints: Endpoints, prober: HttpProber, body: Any, **source: Any) -> Sample:
    """The sample of one metric whose address answers with this JSON."""
    data = json.dumps(body).encode()
    url = await endpoints.answers(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
    fields = {key: source.pop(key) for key in ("better",) if key in source}
    metric: Source[Any] = a_metric(a_context(http=prober), source | {"url": url}, **fields)
    return await metric.ask()


def vector(*values: str) -> dict[str, Any]:
    return {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, value]} for value in values]},
    }


@pytest.mark.parametrize(
    ("values", "combine", "better", "value", "reason"),
    [
        (("3",), None, "lower", 3, ""),
        (("3", "9"), None, "lower", None, "2 series, one is wanted: narrow it down, or write `combine`"),
        (("3", "9"), "worst", "lower", 9, ""),
        (("3", "9"), "worst", "higher", 3, ""),
        (("3", "9"), "sum", "lower", 12, ""),
        ((), None, "lower", None, "no series, one is wanted"),
        ((), "sum", "lower", None, "no series, one is wanted"),
    ],
)
async def test_prometheus(
    endpoints: Endpoints,
    prober: HttpProber,
    values: tuple[str, ...],
    combine: str | None,
    better: str,
    value: float | None,
    reason: str,
) -> None:
    more = {"combine": combine} if combine else {}
    sample = await asked(
        endpoints, prober, vector(*values), kind="prometheus", query="up", better=better, **more
    )
    assert (sample.ok, sample.reason) == (not reason, reason)
    assert sample.values.get("value") == value


@pytest.mark.parametrize(
    ("found", "combine", "value", "reason"),
    [
        ({"a": 3}, None, 3, ""),
        ({"a": [3]}, None, 3, ""),
        ({"a": [3, "4"]}, None, None, "2 numbers, one is wanted: narrow it down, or write `combine`"),
        ({"a": [3, "4"]}, "mean", 3.5, ""),
        ({"a": []}, "sum", None, "no number, one is wanted"),
        ({"a": None}, None, None, "no number at a"),
    ],
)
async def test_http_json(
    endpoints: Endpoints,
    prober: HttpProber,
    found: Any,
    combine: str | None,
    value: float | None,
    reason: str,
) -> None:
    more = {"combine": combine} if combine else {}
    sample = await asked(endpoints, prober, found, kind="http_json", select="a", **more)
    assert (sample.ok, sample.reason) == (not reason, reason)
    assert sample.values.get("value") == value


@pytest.mark.parametrize(
    ("rows", "combine", "found"),
    [
        ([{"n": 3.0}], None, {"n": 3.0, "value": 3.0}),
        ([{"value": 3.0, "max": 100.0}], None, {"value": 3.0, "max": 100.0}),
        ([{"max": 100.0, "value": 3.0}], None, {"value": 3.0, "max": 100.0}),
        ([{"value": 3.0, "name": None}], None, {"value": 3.0}),
        ([{"a": 3.0, "b": 4.0}], None, "2 columns, one is wanted: call it `value`"),
        ([{"a": 3.0}, {"a": 4.0}], None, "2 rows, one is wanted: narrow it down, or write `combine`"),
        ([{"a": 3.0}, {"a": 4.0}], "sum", {"value": 7.0}),
        ([{"a": 3.0}, {"a": None}], "max", {"value": 3.0}),
        ([{"a": None}], None, "the query returned no value"),
        ([], "sum", "no row, one is wanted"),
        ([{}], None, "the query returned no column"),
    ],
)
def test_postgres(rows: list[dict[str, float | None]], combine: Any, found: dict[str, float] | str) -> None:
    if isinstance(found, str):
        with pytest.raises(NotOneError) as caught:
            numbers_in(rows, combine)
        assert str(caught.value) == found
    else:
        assert numbers_in(rows, combine) == found
