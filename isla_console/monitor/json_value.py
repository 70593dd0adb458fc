"""One number out of a JSON answer: any HTTP API by JMESPath, and Prometheus."""

from __future__ import annotations

import json
import math

from isla_console.monitor.brief import brief
from isla_console.monitor.http import MAX_BODY

PROMETHEUS = "data.result[0].value[1] || data.result[1]"
"""Where an instant query's answer has its number: a vector's first series, or a scalar."""


class NoNumber(Exception):
    """The answer holds none; the text is safe to show."""


def number(body: bytes, select: str) -> float:
    """The number that the JMESPath `select` finds in a JSON body; a number in quotes will do.

    Raises:
        NoNumber: the body is no JSON, is cut off, or has no finite number there.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError

    if len(body) >= MAX_BODY:
        raise NoNumber(f"the answer is larger than {MAX_BODY // 1024} KiB")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise NoNumber("the answer is no JSON") from None
    try:
        found = jmespath.search(select, answer)
    except JMESPathError as error:
        raise NoNumber(f"cannot select {brief(select, 60)}: {type(error).__name__}") from None
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        raise NoNumber(f"no number at {brief(select, 60)}")
    try:
        value = float(found)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise NoNumber(f"{brief(str(found), 40)} is no number")
    return value
