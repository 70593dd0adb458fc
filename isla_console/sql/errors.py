"""A database error: what it says, where in the statement it points, and what it means in an incident."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from isla_console.text.plain import plain

if TYPE_CHECKING:
    from isla_console.database.failures import PgFailure

_MEANING: Final = {
    "42601": "The statement is not SQL; nothing ran.",
    "42703": "No such column: the schema differs from what this was written for.",
    "42P01": "No such table here, or not on the search path: write schema.table.",
    "42883": "No such function for these types.",
    "42501": "This role may not do that. Reads: GRANT it pg_read_all_data. Writes: the armed connection.",
    "25006": "It would write, and this transaction only reads.",
    "25001": "It must run outside a transaction: unlock, and it runs as maintenance.",
    "57014": "It was stopped: cancelled, or over its time limit. Look for a missing index or a lock.",
    "55P03": "Somebody holds a lock on it and the wait is cut short: the sessions page (a) shows who.",
    "40P01": "Two sessions waited for each other; the server ended one. Trying again is safe.",
    "40001": "Another transaction changed the same rows. Trying again is safe.",
    "53300": "Every connection slot is taken. This console keeps its own: a (sessions) shows by whom.",
    "53100": "The server's disk is full: writes fail, and hosts switch the project to read-only.",
    "53200": "The server is out of memory.",
    "57P01": "An administrator ended our session, or the server restarts.",
    "57P02": "The server crashed: every session was ended, open transactions are rolled back.",
    "57P03": "The server is starting up or shutting down.",
    "25P03": "Our transaction stood idle for too long and was ended.",
    "23505": "A row with this key is there already; nothing was changed.",
    "23503": "Other rows point at this one, or it points at none; nothing was changed.",
    "22P02": "A value does not fit the column's type.",
    "22012": "Division by zero.",
    "0A000": "This server does not have that.",
}


@dataclass(frozen=True, slots=True)
class SqlError:
    """Why there are no rows, safe to show. `line` and `column` count from 1; 0 is unknown."""

    message: str
    sqlstate: str = ""
    detail: str = ""
    hint: str = ""
    meaning: str = ""
    line: int = 0
    column: int = 0
    lost: bool = False
    """Whether the connection was dropped too; it is opened again for the next statement."""
    full: bool = False
    """Whether the server had no connection slot left."""


def from_exception(error: BaseException, failure: PgFailure, sql: str, shift: int = 0) -> SqlError:
    """Return a statement's error. `shift` is how many characters the server got in front of `sql`."""
    code = str(getattr(error, "sqlstate", None) or "")
    if not code or failure.kind in {"lost", "full"}:
        return replace(from_failure(failure), sqlstate=code, meaning=_MEANING.get(code, "") or _lost(failure))
    line, column = place(sql, _position(error) - shift)
    return SqlError(
        plain(str(getattr(error, "message", None) or error)),
        code,
        plain(str(getattr(error, "detail", None) or "")),
        plain(str(getattr(error, "hint", None) or "")),
        _MEANING.get(code, ""),
        line,
        column,
    )


def from_failure(failure: PgFailure) -> SqlError:
    """Return the error that says why there is no connection."""
    return SqlError(
        plain(failure.reason),
        meaning=_lost(failure),
        lost=failure.kind != "query",
        full=failure.kind == "full",
    )


def place(sql: str, position: int) -> tuple[int, int]:
    """Return the line and column of a `position`, all counted from 1; (0, 0) when there is none."""
    if not 1 <= position <= len(sql) + 1:
        return 0, 0
    before = sql[: position - 1]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _lost(failure: PgFailure) -> str:
    if failure.kind == "full":
        return _MEANING["53300"]
    return "The connection is opened again by itself; the statement is not." if failure.kind == "lost" else ""


def _position(error: Any) -> int:
    try:
        return int(getattr(error, "position", None) or 0)
    except ValueError:
        return 0
