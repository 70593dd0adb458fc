"""Answers as rows: what a JMESPath finds in JSON, and rows written as text."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from isla_console.text.times import has_clock_and_zone, moment, utc_text

Row = Mapping[str, object]
"""One row by column name, with the answer's own values."""

MOST_ROWS: Final = 500
_CELL: Final = 400


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that were found, None where the answer has another shape; `note` says what is odd."""

    rows: tuple[Row, ...] | None
    note: str = ""

    @property
    def count(self) -> int | None:
        """How many rows there are; None where nulls leave that open."""
        return None if self.rows is None or (self.note and not self.rows) else len(self.rows)


NO_TABLE: Final = Table(None)
"""The table of a step that declares none."""
OTHER_SHAPE: Final = "JSON of another shape than the runbook expects"
NOTHING: Final = "nothing to show: the answer has null where the rows would be"


def tabulated(data: Any, table: str | None) -> Table:
    """Return the rows that `table` finds; a plain value is a row with the column `value`.

    Nulls make no rows: where there is nothing else, the table is empty and its note says so.

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
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        return Table(None, OTHER_SHAPE)
    rows = tuple(one if isinstance(one, dict) else {"value": one} for one in found if one is not None)
    if found and not rows:
        return Table((), NOTHING)
    # An answer of another shape makes rows in which every cell is empty: those do not count.
    if rows and all(value is None for row in rows for value in row.values()):
        return Table(None, OTHER_SHAPE)
    return Table(rows)


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
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


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
    words = [word.lower() for word in _WORDS.findall(name)]
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


def as_text(rows: Sequence[Row]) -> str:
    """Return rows as lines of tab-separated values under a header, as they are stored."""
    columns = columns_of(rows)
    lines = ["\t".join(columns)]
    lines += ["\t".join(cell(row.get(name)) for name in columns) for row in rows[:MOST_ROWS]]
    return "\n".join(lines)
