"""One number, or one yes or no, out of a JSON answer: any HTTP API by JMESPath, and Prometheus."""

from __future__ import annotations

import json
import math
from typing import Any

from isla_console.monitor.http.prober import MAX_BODY
from isla_console.text.brief import brief

PROMETHEUS = "data.result[0].value[1] || data.result[1]"
"""Where an instant query's answer has its number: a vector's first series, or a scalar."""


class NoNumber(Exception):
    """The answer holds none; the text is safe to show."""


def number(body: bytes, select: str) -> float:
    """The number that the JMESPath `select` finds in a JSON body; a number in quotes will do.

    Raises:
        NoNumber: the body is no JSON, is cut off, or has no finite number there.
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
    """Why an answer says that all is not well; "" when the JMESPath `healthy` gives true."""
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
