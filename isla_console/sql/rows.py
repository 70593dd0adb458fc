"""Rows as PostgreSQL's own text, bounded in bytes: a cursor's, some at a time, or a statement's first few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from isla_console.database.incoming import Incoming, Limits
from isla_console.sql.result import Column
from isla_console.sql.values import Cut, parameters

if TYPE_CHECKING:
    from asyncpg.cursor import Cursor

    from isla_console.database.driver import TextConnection

MIB: Final = 1024 * 1024
KEPT: Final = 16 * MIB
"""Bytes of rows that are kept for the screen."""
READ: Final = 64 * MIB
"""Bytes that are read for the screen, whatever is kept of them: a bad link has more to carry."""
AT_ONCE: Final = 4 * MIB
"""Bytes that are asked for at a time, going by the rows so far."""
SHOWN: Final = Limits(cell=64 * 1024, row=MIB, answer=None)
"""What is kept of a row that is shown."""
SAMPLED: Final = Limits(cell=64 * 1024, row=MIB, answer=KEPT)
"""What is kept of rows that a change returns."""
EXPORTED: Final = Limits(cell=16 * MIB, row=32 * MIB, answer=None)
"""What is kept of a row that is exported."""

Row = tuple[str | None, ...]
Rows = Sequence[Row]


@dataclass(slots=True)
class RowReader:
    """Reads the rows of an open cursor, never many bytes at once."""

    columns: tuple[Column, ...]
    _cursor: Cursor[Any]
    _incoming: Incoming
    at_end: bool = False
    """Whether there are no more rows."""
    cut: int = 0
    """How many cells were cut so far."""
    _longest: int = 0
    _kept: int = 0

    @property
    def received(self) -> int:
        """How many bytes of rows have come so far."""
        return self._incoming.received

    async def fill(self, rows: list[Row], many: int) -> None:
        """Add rows until there are `many`, or no more, or as many bytes as a screen may have."""
        while len(rows) < many and not self.at_end and self._kept < KEPT and self.received < READ:
            rows += await self.fetch(many - len(rows))

    async def fetch(self, most: int) -> list[Row]:
        """Return the next rows: fewer than asked for where they are long, none only at the end.

        The first time it is a single row, which says how long they are.
        """
        many = max(1, min(most, AT_ONCE // self._longest)) if self._longest else 1
        first, before, cut_before = self._incoming.rows, self.received, self._incoming.cut_bytes
        rows = [tuple(row) for row in await self._cursor.fetch(many)]
        self.at_end = len(rows) < many
        if rows:
            self._longest = max(self._longest, (self.received - before) // len(rows))
        self.cut += _mark(rows, self._incoming, first)
        self._kept += self.received - before - (self._incoming.cut_bytes - cut_before)
        return rows


async def open_reader(
    connection: TextConnection, sql: str, params: Sequence[Any], limits: Limits
) -> RowReader:
    """Open a cursor, unnamed, because nothing may stay behind in a pooler's connection.

    Raises:
        ValueError: The number of parameters is wrong.
    """
    statement = await connection.prepare(sql, name="")
    arguments = parameters(params, len(statement.get_parameters()))
    columns = tuple(Column(one.name, one.type.name) for one in statement.get_attributes())
    connection.incoming.begin(limits)
    return RowReader(columns, await statement.cursor(*arguments), connection.incoming)


async def fetch_rows(
    connection: TextConnection, sql: str, params: Sequence[Any], *, exact: bool = True
) -> tuple[tuple[Column, ...], list[Row], str]:
    """Run a statement; return its columns, its first rows and the server's command tag.

    With `exact=False` there may be more parameters than the statement takes.

    Raises:
        ValueError: The number of parameters is wrong.
    """
    statement = await connection.prepare(sql, name="")
    wanted = len(statement.get_parameters())
    arguments = parameters(params if exact else params[:wanted], wanted)
    columns = tuple(Column(one.name, one.type.name) for one in statement.get_attributes())
    connection.incoming.begin(SAMPLED)
    rows = [tuple(row) for row in await statement.fetch(*arguments)]
    _mark(rows, connection.incoming, 0)
    return columns, rows, str(statement.get_statusmsg())


def _mark(rows: list[Row], incoming: Incoming, first: int) -> int:
    """Put a `Cut` in place of each cell that was cut, and return how many were; `first` is the first row."""
    cuts = incoming.take_cuts()
    for cut in cuts:
        row = list(rows[cut.row - first])
        row[cut.column] = Cut(row[cut.column] or "", cut.whole)
        rows[cut.row - first] = tuple(row)
    return len(cuts)
