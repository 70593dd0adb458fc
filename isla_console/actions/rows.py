"""Answers as rows: a JMESPath laid over JSON, and rows written as text."""

import functools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

Row = Mapping[str, object]
"""One row by column name; values are what the answer had."""

MOST_ROWS: Final = 500
_CELL: Final = 400


def rows_of(data: Any, table: str | None) -> list[Row] | None:
    """The rows that `table` finds; a single object is one row. None where there are none of that shape.

    Raises:
        ValueError: the expression cannot be applied to this answer.
    """
    if data is None:
        return None
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
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        return None
    # An answer of another shape makes a row in which every cell is empty: that is no row.
    if len(found) == 1 and all(value is None for value in found[0].values()):
        return None
    return found


@functools.lru_cache(maxsize=256)
def _compiled(table: str) -> Any:
    import jmespath

    return jmespath.compile(table)


def columns_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Every column, in the order in which they first occur."""
    return tuple(dict.fromkeys(name for row in rows for name in row))


def cell(value: object) -> str:
    """One value as text, short and on one line; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(str(value).split())[:_CELL]


def as_text(rows: Sequence[Row]) -> str:
    """Rows as lines of `name=value` pairs' values under a header, tabs between: what is stored."""
    columns = columns_of(rows)
    lines = ["\t".join(columns)]
    lines += ["\t".join(cell(row.get(name)) for name in columns) for row in rows[:MOST_ROWS]]
    return "\n".join(lines)
