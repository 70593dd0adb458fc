"""PostgreSQL's own text of values: what the console computes with becomes Python's, parameters become text.

Everything that is shown or exported stays the server's text. Only the console's own questions are read as
numbers, times and lists.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

NUMBERS: Final = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "oid", "xid", "xid8"})
"""The names of the types whose values are numbers."""

_INTERVAL: Final = re.compile(
    r"(?:(?P<years>-?\d+) years? ?)?(?:(?P<months>[+-]?\d+) mons? ?)?(?:(?P<days>[+-]?\d+) days? ?)?"
    r"(?:(?P<sign>[+-])?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?))?"
)
_ELEMENT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', re.DOTALL)
_YEAR: Final = re.compile(r"(\d{4,})-")
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def load(text: Any, type_name: str) -> Any:
    """Return a value to compute with: a number, time, list or truth; any other type stays its text.

    A time that Python cannot hold becomes the first or the last that it can. A text that is not of its type
    stays what it is.
    """
    loader = _LOADERS.get(type_name) if isinstance(text, str) else None
    if loader is None:
        return text
    try:
        return loader(text)
    except (ValueError, ArithmeticError, InvalidOperation):
        return text


def number(text: Any, type_name: str) -> float | None:
    """Return a value as a number, an interval as its seconds; None for what is none, or has no bounds."""
    return as_number(load(text, type_name))


def as_number(value: Any) -> float | None:
    """Return a loaded value as a number, an interval as its seconds; None for what is none."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float | Decimal):
        found = float(value)
        return found if math.isfinite(found) else None
    return None


def as_parameter(value: object) -> str | None:
    """Return a value as the text that PostgreSQL reads it from; None, NULL, stays None."""
    match value:
        case None | str():
            return value
        case bool():
            return "t" if value else "f"
        case bytes():
            return "\\x" + value.hex()
        case date():
            return value.isoformat()
        case timedelta():
            return f"{value.days} days {value.seconds + value.microseconds / 1e6:f} seconds"
        case list() | tuple():
            return "{" + ",".join(map(_element, value)) + "}"
        case _:
            return str(value)


def _element(value: object) -> str:
    text = as_parameter(value)
    if text is None:
        return "NULL"
    if isinstance(value, list | tuple):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _moment(text: str) -> datetime:
    year = _YEAR.match(text)
    if text == "infinity" or (year is not None and int(year[1]) > _LAST.year):
        return _LAST
    if text == "-infinity" or text.endswith(" BC"):
        return _FIRST
    return datetime.fromisoformat(text)


def _local(text: str) -> datetime:
    return _moment(text).replace(tzinfo=None)


def _day(text: str) -> date:
    return _moment(text).date()


def _truth(text: str) -> bool:
    return {"t": True, "f": False}.get(text) is True


def _interval(text: str) -> timedelta:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError(text)
    part = {name: float(value or 0) for name, value in match.groupdict().items() if name != "sign"}
    clock = part["hours"] * 3600 + part["minutes"] * 60 + part["seconds"]
    days = part["years"] * 365 + part["months"] * 30 + part["days"]
    return timedelta(days=days, seconds=-clock if match["sign"] == "-" else clock)


def _list_of(one: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def load_list(text: str) -> list[Any]:
        if not text.startswith("{") or "{" in re.sub(r'"(?:[^"\\]|\\.)*"', "", text[1:]):
            raise ValueError(text)
        return [
            None if bare == "NULL" else one(bare or re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
            for quoted, bare in _ELEMENT.findall(text)
        ]

    return load_list


_LOADERS: Final[Mapping[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid", "xid", "xid8"), int),
    **dict.fromkeys(("int2[]", "int4[]", "int8[]", "oid[]"), _list_of(int)),
    **dict.fromkeys(("text[]", "varchar[]", "name[]"), _list_of(str)),
    "float4": float,
    "float8": float,
    "numeric": Decimal,
    "bool": _truth,
    "timestamptz": _moment,
    "timestamp": _local,
    "date": _day,
    "interval": _interval,
}
