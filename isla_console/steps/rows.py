"""Answers as rows: what a JMESPath finds in JSON, and rows written as text."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from isla_console.text.times import full_text, has_clock_and_zone, moment, utc_text

Row = Mapping[str, object]
"""One row by column name, with the answer's own values."""

MOST_ROWS: Final = 500
NULL: Final = "–"
"""What stands for each null in a row that has nothing else, which would look like no row."""
_CELL: Final = 400


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that were found, None where the answer has another shape; `note` says what is odd.

    `is_error` is set where the answer has nothing in the rows' place but says what is wrong.
    """

    rows: tuple[Row, ...] | None
    note: str = ""
    is_error: bool = False

    @property
    def count(self) -> int | None:
        """How many rows there are; None where nulls leave that open."""
        return None if self.rows is None or (self.note and not self.rows) else len(self.rows)


NO_TABLE: Final = Table(None)
"""The table of a step that declares none."""
OTHER_SHAPE: Final = "JSON of another shape than the runbook expects"
NOTHING: Final = "nothing to show: the answer has null where the rows would be"
_SAID: Final = 200
"""How many characters are kept of what an answer says of an error."""
_WORDS: Final = ("message", "msg", "error_description", "description", "detail", "error", "reason", "code")
"""Where vendors' APIs say in words what is wrong, the plainest first."""
_NO_ZONE: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?", re.ASCII)


def tabulated(data: Any, table: str | None) -> Table:
    """Return the rows that `table` finds; a plain value is a row with the column `value`.

    Nulls make no rows: where there is nothing else, the table is empty and its note says so. An answer that
    has what the table asks for, though all of it is null, makes a row of nulls; only one that does not have
    it is of another shape. What the answer says of an error is noted in either case. A time without a zone is
    UTC.

    Raises:
        ValueError: The expression cannot be applied to this answer.
    """
    found = data
    if table is not None:
        import jmespath
        from jmespath.exceptions import JMESPathError

        try:
            found = _compiled(table).search(data, jmespath.Options(dict_cls=dict))
        except (JMESPathError, RecursionError) as error:
            raise ValueError(f"the answer does not fit the table: {type(error).__name__}") from None
    said = _said(data)
    if found is None and data is not None and table is not None and _has_asked(_compiled(table).parsed, data):
        return Table((), said or NOTHING, bool(said))
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        return Table(None, _joined(OTHER_SHAPE, said))
    rows = tuple(_row(one) for one in found if one is not None)
    if found and not rows:
        return Table((), said or NOTHING, bool(said))
    # An answer of another shape makes rows in which every cell is empty: those do not count.
    if rows and all(value is None for row in rows for value in row.values()):
        if table is None or not _has_asked(_compiled(table).parsed, data):
            return Table(None, _joined(OTHER_SHAPE, said))
        return Table(rows, said, bool(said))
    return Table(rows)


def _joined(problem: str, said: str) -> str:
    return f"{problem}; it says: {said}" if said else problem


def _said(data: Any, depth: int = 0) -> str:
    """Return what an answer says of an error in words, on one line; "" where it says nothing."""
    if isinstance(data, list):
        data = data[0] if data and depth else None
    if isinstance(data, str) and depth:
        return " ".join(data.split())[:_SAID]
    if not isinstance(data, dict) or depth > 3:
        return ""
    # An error may be a text, or an object or list of objects that has one.
    inner = next(
        (data[name] for name in ("error", "errors") if isinstance(data.get(name), dict | list)), None
    )
    if inner is not None and (said := _said(inner, depth + 1)):
        return said
    texts = (" ".join(data[word].split()) for word in _WORDS if isinstance(data.get(word), str))
    return next((text[:_SAID] for text in texts if text), "")


def _row(one: Any) -> Row:
    row = one if isinstance(one, dict) else {"value": one}
    return {name: _in_utc(value) for name, value in row.items()}


def _in_utc(value: Any) -> Any:
    """Return a time without a zone with UTC's: that is what APIs mean. Any other value is left as it is."""
    if isinstance(value, str) and 19 <= len(value) <= 29 and _NO_ZONE.fullmatch(value):
        return value.replace(" ", "T") + "Z"
    return value


def _has_asked(node: Any, value: Any) -> bool:
    """Return whether an answer has what a JMESPath's tree asks of it, be it null.

    Of several things that are asked for side by side, one is enough: an API leaves out what does not apply.
    """
    from jmespath.visitor import TreeInterpreter

    kind, inner = node["type"], node.get("children", ())
    if kind == "field":
        return isinstance(value, dict) and node["value"] in value
    if kind in _THROUGH:
        for place, one in enumerate(inner):
            if not _has_asked(one, value):
                return False
            value = TreeInterpreter().visit(one, value)
            if value is None:
                return True
            if place == 0 and kind in _LISTS and not isinstance(value, list):
                return False
            if place == 0 and kind in _EACH:
                return not value or any(_has_asked(inner[1], item) for item in value)
        return True
    # Side by side; what asks for nothing by name, such as an index or a literal, is there.
    named = [one for one in inner if isinstance(one, dict)]
    return not named or any(_has_asked(one, value) for one in named)


_EACH: Final = frozenset({"projection", "filter_projection"})
_LISTS: Final = _EACH | {"flatten"}
_THROUGH: Final = _EACH | {"subexpression", "index_expression", "pipe", "flatten", "value_projection"}
"""Kinds of node whose later parts are applied to what the earlier ones find; of `_EACH`, to each item."""


@functools.lru_cache(maxsize=256)
def _compiled(table: str) -> Any:
    import jmespath

    return jmespath.compile(table)


def columns_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return every column, in the order of first occurrence."""
    return tuple(dict.fromkeys(name for row in rows for name in row))


_UNIT = frozenset({"s", "sec", "seconds", "ms", "us", "ns", "unix", "utc", "in", "millis"})
_TIME = frozenset(
    {
        *("at", "time", "timestamp", "moment", "created", "updated", "modified", "inserted", "deleted"),
        *("since", "until", "started", "ended", "finished", "begins", "ends", "expires", "expiry", "due"),
        *("seen", "date", "unix"),
    }
)
"""The words at the end of the name of a column of times, before its unit."""
_NAME_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def time_columns(rows: Sequence[Row], declared: Collection[str] = ()) -> frozenset[str]:
    """Return the names of the columns that hold times and nothing else.

    A column is one that the runbook declares, one whose name says so and whose values can be, or one in which
    every value is a time with its zone. A number beside a value that is no time stays a number.
    """
    return frozenset(
        name
        for name in columns_of(rows)
        if (values := [row[name] for row in rows if row.get(name) is not None])
        and all(time_in(name, value, declared) is not None for value in values)
    )


def time_in(name: str, value: object, declared: Collection[str] = ()) -> datetime | None:
    """Return the time that a value in a column means; None where it may mean anything else."""
    if isinstance(value, datetime) or (isinstance(value, str) and has_clock_and_zone(value)):
        return moment(value)
    is_day = isinstance(value, str) and "-" in value and ":" not in value
    return moment(value) if not is_day and (name in declared or _names_a_time(name)) else None


@functools.lru_cache(maxsize=1024)
def _names_a_time(name: str) -> bool:
    words = [word.lower() for word in _NAME_WORDS.findall(name)]
    while len(words) > 1 and words[-1] in _UNIT:
        words.pop()
    return bool(words) and words[-1] in _TIME


def cell(value: object) -> str:
    """Return one value as a short text on one line; "" for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return utc_text(value, "seconds") if value.tzinfo is not None else value.isoformat(" ")
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(str(value).split())[:_CELL]


def _stored(value: object, *, is_time: bool) -> str:
    at = moment(value) if is_time else None
    return full_text(at, seconds=True) if at is not None else cell(value)


def as_text(rows: Sequence[Row]) -> str:
    """Return rows as lines of tab-separated values under a header, as they are stored.

    Who reads them later has no screen that makes a time of a number: times are written out.
    """
    columns, times = columns_of(rows), time_columns(rows)
    lines = ["\t".join(columns)]
    for row in rows[:MOST_ROWS]:
        empty = "" if any(value is not None for value in row.values()) else NULL
        lines.append("\t".join(_stored(row.get(name), is_time=name in times) or empty for name in columns))
    return "\n".join(lines)
