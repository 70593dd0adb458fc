"""Taking numbers, or one yes or no, out of a JSON answer by JMESPath, and out of Prometheus's."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from isla_console.monitor.http.answers import MAX_JSON
from isla_console.monitor.http.prober import MAX_BODY
from isla_console.text.brief import brief

# What Python takes for a number besides, such as 1_000, is none to the one who wrote it.
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


class NoNumber(Exception):
    """The answer holds no number; the text is safe to show."""


def numbers(body: bytes, select: str) -> list[float]:
    """Return the numbers that the JMESPath `select` finds in a JSON body, one or a list, in quotes or not.

    Raises:
        NoNumber: The body is not JSON, is cut off, or has something else there.
    """
    found = _find(body, select)
    return [
        _number(one, f"at {brief(select, 60)}") for one in (found if isinstance(found, list) else [found])
    ]


def series(body: bytes) -> list[float]:
    """Return the numbers in Prometheus's answer to an instant query: one of each series, or a scalar.

    Raises:
        NoNumber: It is no such answer; where Prometheus says why, that is said.
    """
    answer = _find(body, "@")
    if not isinstance(answer, dict):
        raise NoNumber("the answer is not Prometheus's")
    if answer.get("status") == "error":
        raise NoNumber(f"Prometheus says: {brief(str(answer.get('error') or 'error'), 120)}")
    data = answer.get("data")
    kind, result = (data.get("resultType"), data.get("result")) if isinstance(data, dict) else (None, None)
    if kind == "scalar" and isinstance(result, list) and len(result) == 2:
        return [_number(result[1], "in the scalar")]
    if kind != "vector" or not isinstance(result, list):
        raise NoNumber(f"the query gives {brief(str(kind), 30)}: a vector or a scalar is wanted")
    return [_number(_sample_of(one), "in a series") for one in result]


def _sample_of(one: Any) -> Any:
    value = one.get("value") if isinstance(one, dict) else None
    if value is None and isinstance(one, dict) and "histogram" in one:
        raise NoNumber("the query gives a histogram: a number is wanted, such as its histogram_quantile")
    return value[1] if isinstance(value, list) and len(value) == 2 else None


def _number(found: Any, where: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        raise NoNumber(f"no number {where}")
    if isinstance(found, str) and not _NUMBER.fullmatch(found):
        raise NoNumber(f"{brief(found, 40)} is no number")
    try:
        value = float(found)
    except OverflowError:
        value = math.nan
    if not math.isfinite(value):
        raise NoNumber(f"{brief(str(found), 40)} is no number")
    return value


def ill(body: bytes, healthy: str) -> str:
    """Return why an answer means trouble; "" when the JMESPath `healthy` gives true.

    `body` is what was read of it, `MAX_JSON` bytes at most.
    """
    try:
        found = _find(body, healthy, MAX_JSON)
    except NoNumber as error:
        return str(error)
    if found is True:
        return ""
    return (
        f"it says {brief(found, 100)}"
        if isinstance(found, str) and found
        else "it does not say that it is well"
    )


def _find(body: bytes, select: str, most: int = MAX_BODY) -> Any:
    """Return what a JMESPath finds in an answer of which at most `most` bytes were read."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    if len(body) >= most:
        raise NoNumber(f"the answer is larger than {most // 1024} KiB")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise NoNumber("the answer is no JSON") from None
    try:
        return jmespath.search(select, answer)
    except JMESPathError as error:
        raise NoNumber(f"cannot select {brief(select, 60)}: {type(error).__name__}") from None
