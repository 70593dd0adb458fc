"""Numbers from a JSON answer."""

from __future__ import annotations

import json

import pytest

from isla_console.monitor.http.json_value import NoNumber, numbers, series
from isla_console.monitor.http.prober import MAX_BODY


@pytest.mark.parametrize(
    ("body", "select", "expected"),
    [
        (b'{"a": {"b": [3, 4]}}', "a.b[1]", [4]),
        (b'{"a": {"b": [3, "4"]}}', "a.b", [3, 4]),
        (b'{"a": "61.5"}', "a", [61.5]),
        (b'{"a": []}', "a", []),
    ],
)
def test_numbers(body: bytes, select: str, expected: list[float]) -> None:
    assert numbers(body, select) == expected


def vector(*values: object) -> bytes:
    """An instant query's answer."""
    result = [{"metric": {"i": str(i)}, "value": [1700000000, value]} for i, value in enumerate(values)]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


def test_every_series_of_prometheus_counts() -> None:
    assert series(vector("0.25")) == [0.25]
    assert series(vector("0.25", "7")) == [0.25, 7]
    assert series(vector()) == []
    assert series(b'{"data": {"resultType": "scalar", "result": [1700000000, "7"]}}') == [7]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "the answer is no JSON"),
        (b"[]", "the answer is not Prometheus's"),
        (b'{"data": {}}', "the query gives None: a vector or a scalar is wanted"),
        (
            b'{"data": {"resultType": "matrix", "result": []}}',
            "the query gives matrix: a vector",
        ),
        (b'{"data": {"resultType": "string", "result": [1, "x"]}}', "the query gives string: a vector or a"),
        (b'{"status": "error", "error": "parse error: x"}', "Prometheus says: parse error: x"),
        (vector("NaN"), "NaN is no number"),
        (vector("+Inf", "1"), "+Inf is no number"),
        (b'{"data": {"resultType": "vector", "result": [{"metric": {}}]}}', "no number in a series"),
        (
            b'{"data": {"resultType": "vector", "result": [{"histogram": [1, {}]}]}}',
            "the query gives a histo",
        ),
    ],
)
def test_what_prometheus_answers_besides_numbers(body: bytes, reason: str) -> None:
    with pytest.raises(NoNumber) as caught:
        series(body)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("body", "select", "reason"),
    [
        (b"<html>", "a", "the answer is no JSON"),
        (b"\xff", "a", "the answer is no JSON"),
        (b"[" * 60_000, "a", "the answer is no JSON"),
        (b"{}", "a", "no number at a"),
        (b'{"a": true}', "a", "no number at a"),
        (b'{"a": "x\x1b"}', "a", "the answer is no JSON"),
        (json.dumps({"a": "\x1b[2J"}).encode(), "a", "␛[2J is no number"),
        (b'{"a": NaN}', "a", "nan is no number"),
        (b'{"a": "1_000"}', "a", "1_000 is no number"),
        ('{"a": "\u0661"}'.encode(), "a", "\u0661 is no number"),
        (b'{"a": ""}', "a", " is no number"),
        (b'{"a": 1}', "a[", "cannot select a[: "),
        (b'{"a": [1, null]}', "a", "no number at a"),
        (b'{"a": [[1]]}', "a", "no number at a"),
        (b'{"a": 1e999}', "a", "inf is no number"),
        (b"[" + b"1," * MAX_BODY, "a", "the answer is larger than 64 KiB"),
    ],
)
def test_no_numbers(body: bytes, select: str, reason: str) -> None:
    with pytest.raises(NoNumber) as caught:
        numbers(body, select)
    assert str(caught.value).startswith(reason)
