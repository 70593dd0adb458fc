"""Values from PostgreSQL as text, and texts as parameters. NULL stays None: it is not an empty text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from isla_console.text.plain import plain

NUMBERS: Final = frozenset(
    {"int2", "int4", "int8", "float4", "float8", "numeric", "oid", "money", "xid", "xid8"}
)
# What asyncpg returns for infinity.
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


def text(value: Any) -> str:
    """Return one value on one line, controls made visible; intervals as 1 day 02:03:04, times in UTC."""
    return plain(raw_text(value))


def raw_text(value: Any) -> str:
    """Return a value as PostgreSQL writes it, line breaks included, for files."""
    match value:
        case None:
            return ""
        case bool():
            return "t" if value else "f"
        case str():
            return value
        case timedelta():
            return interval(value)
        case datetime():
            return _moment(value)
        case date() if value in {date.max, date.min}:
            return "infinity" if value == date.max else "-infinity"
        case date() | time():
            return value.isoformat()
        case bytes():
            return "\\x" + value.hex()
        case Mapping():
            return json.dumps(jsonable(value), ensure_ascii=False)
        case list():
            return "{" + ",".join("NULL" if one is None else raw_text(one) for one in value) + "}"
        case tuple():
            return "(" + ",".join(raw_text(one) for one in value) + ")"
        case _:
            return str(value)


def jsonable(value: Any) -> Any:
    """Return a value that JSON can hold; what JSON lacks becomes text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value == value and abs(value) != float("inf") else str(value)
        case Mapping():
            return {str(key): jsonable(one) for key, one in value.items()}
        case list() | tuple():
            return [jsonable(one) for one in value]
        case _:
            return raw_text(value)


def interval(span: timedelta) -> str:
    """Return an interval such as `3 days 00:14:02`, `-00:00:05` or `00:00:00.25`."""
    if span < timedelta(0):
        return "-" + interval(-span)
    hours, rest = divmod(span.seconds, 3600)
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    if span.microseconds:
        clock += f".{span.microseconds:06}".rstrip("0")
    return f"{span.days} day{'s' if span.days != 1 else ''} {clock}" if span.days else clock


def parameter(given: Any, type_name: str) -> Any:
    """Return what asyncpg expects for a parameter of a type; a text is converted to it.

    Raises:
        ValueError: The text is not a value of that type.
    """
    if not isinstance(given, str):
        return given
    try:
        match type_name:
            case "int2" | "int4" | "int8" | "oid":
                return int(given)
            case "float4" | "float8":
                return float(given)
            case "numeric":
                return Decimal(given)
            case "bool":
                return {"t": True, "true": True, "f": False, "false": False}[given.strip().lower()]
            case "date":
                return date.fromisoformat(given)
            case "timestamptz":
                moment = datetime.fromisoformat(given)
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            case "timestamp":
                return datetime.fromisoformat(given).replace(tzinfo=None)
            case "uuid":
                return UUID(given)
    except (ValueError, KeyError, InvalidOperation):
        raise ValueError(f"{plain(given)[:40]!r} is no {type_name}") from None
    return given


def parameters(given: Sequence[Any], types: Sequence[str]) -> list[Any]:
    """Return all of a statement's parameters.

    Raises:
        ValueError: There are too few or too many, or one does not fit.
    """
    if len(given) != len(types):
        raise ValueError(f"the statement takes {len(types)} values, {len(given)} were given")
    return [parameter(one, type_name) for one, type_name in zip(given, types, strict=True)]


def _moment(value: datetime) -> str:
    bare = value.replace(tzinfo=UTC)
    if bare in {_LATEST, _EARLIEST}:
        return "infinity" if bare == _LATEST else "-infinity"
    if value.tzinfo is None:
        return value.isoformat(" ")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ") + "Z"
