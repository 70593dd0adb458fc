"""The result of a statement: rows, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from isla_console.database.values import load
from isla_console.sql.errors import SqlError
from isla_console.sql.values import NUMBERS, unique_names
from isla_console.sql.verdict import Verdict

ROWS: Final = 500
"""How many rows of one statement are shown."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and PostgreSQL type."""

    name: str
    type: str

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, which are aligned to the right."""
        return self.type in NUMBERS


@dataclass(frozen=True, slots=True)
class SqlResult:
    """One statement's outcome; with `error` or `refused` there are no rows.

    Times in milliseconds. `rows` hold PostgreSQL's own text, None for NULL, and `Cut` for a cell that is too
    long to be kept.
    """

    verdict: Verdict
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    truncated: bool = False
    """Whether there were more rows than were asked for, or than are kept."""
    too_long: int = 0
    """How many bytes had come when reading ended because of them; 0 where it ended for another reason."""
    cut: int = 0
    """How many cells were cut."""
    duration_ms: float = 0.0
    first_row_ms: float = 0.0
    affected: int | None = None
    """How many rows a change changed; None for what reads."""
    error: SqlError | None = None
    refused: str = ""
    """Why the guard did not let the statement run; "" when it ran."""

    @property
    def ok(self) -> bool:
        """Whether it ran to its end."""
        return self.error is None and not self.refused

    @property
    def row_count(self) -> int:
        """How many rows are held."""
        return len(self.rows)

    @property
    def sqlstate(self) -> str:
        """The error's five characters; "" without an error, or where the server gave none."""
        return self.error.sqlstate if self.error else ""

    @property
    def hint(self) -> str:
        """What the server advises; "" when it gives no hint."""
        return self.error.hint if self.error else ""

    @property
    def position(self) -> tuple[int, int]:
        """The line and column of the error, from 1; (0, 0) when it has none."""
        return (self.error.line, self.error.column) if self.error else (0, 0)

    def records(self) -> list[dict[str, Any]]:
        """Return the rows by column name, with values to compute with."""
        names = unique_names(column.name for column in self.columns)
        return [
            {
                name: load(value, column.type)
                for name, column, value in zip(names, self.columns, row, strict=True)
            }
            for row in self.rows
        ]
