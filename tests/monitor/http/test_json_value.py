"""One number from a JSON answer."""

from __future__ import annotations

import json

import pytest

from isla_console.monitor.http.json_value import PROMETHEUS, NoNumber, number
from isla_console.monitor.http.prober import MAX_BODY


@pytest.mark.parametrize(
    ("body", "select", "expected"),
    [
        (b'{"a": {"b": [3, 4]}}', "a.b[1]", 4),
        (b'{"a": "61.5"}', "a", 61.5),
        (b'{"data": {"resultType": "vector", "result": [{"value": [1, "0.25"]}]}}', PROMETHEUS, 0.25),
        (b'{"data": {"resultType": "scalar", "result": [1700000000, "7"]}}', PROMETHEUS, 7),
    ],
)
def test_numbers(body: bytes, select: str, expected: float) -> None:
    assert number(body, select) == expected


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
        (b'{"a": 1}', "a[", "cannot select a[: "),
        (b'{"data": {"result": []}}', PROMETHEUS, "no number at data.result"),
        (b"[" + b"1," * MAX_BODY, "a", "the answer is larger than 64 KiB"),
    ],
)
def test_no_numbers(body: bytes, select: str, reason: str) -> None:
    with pytest.raises(NoNumber) as caught:
        number(body, select)
    assert str(caught.value).startswith(reason)
