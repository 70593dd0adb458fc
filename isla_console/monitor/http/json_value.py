"""Taking one number, or one yes or no, out of a JSON answer by JMESPath, Prometheus's included."""

from __future__ import annotations

import json
import math
from typing import Any

from isla_console.monitor.http.prober import MAX_BODY
from isla_console.text.brief import brief

PROMETHEUS = "data.result[0].value[1] || data.result[1]"
"""The JMESPath to the number in an instant query's answer: a vector's first series, or a scalar."""


class NoNumber(Exception):
    """The answer holds no number; the text is safe to show."""


def number(body: bytes, select: str) -> float:
    """Return the number that the JMESPath `select` finds in a JSON body; it may be in quotes.

    Raises:
        NoNumber: The body is not JSON, is cut off, or has no finite number there.
    """
    found = _find(body, select)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        raise NoNumber(f"no number at {brief(select, 60)}")
    try:
        value = float(found)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise NoNumber(f"{brief(str(found), 40)} is no number")
    return value


def ill(body: bytes, healthy: str) -> str:
    """Return why an answer means trouble; "" when the JMESPath `healthy` gives true."""
    try:
        found = _find(body, healthy)
    except NoNumber as error:
        return str(error)
    if found is True:
        return ""
    return (
        f"it says {brief(found, 100)}"
        if isinstance(found, str) and found
        else "it does not say that it is well"
    )


def _find(body: bytes, select: str) -> Any:
    import jmespath
    from jmespath.exceptions import JMESPathError

    if len(body) >= MAX_BODY:
        raise NoNumber(f"the answer is larger than {MAX_BODY // 1024} KiB")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise NoNumber("the answer is no JSON") from None
    try:
        return jmespath.search(select, answer)
    except JMESPathError as error:
        raise NoNumber(f"cannot select {brief(select, 60)}: {type(error).__name__}") from None
