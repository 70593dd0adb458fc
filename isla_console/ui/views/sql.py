"""The lines of the SQL page around its editor and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from textual.content import Content

from isla_console.database.session import SessionReading
from isla_console.database.values import load, number
from isla_console.runbook.steps import Step
from isla_console.session.sql_view import Query
from isla_console.session.state import ConsoleState
from isla_console.sql.result import Column, SqlResult
from isla_console.sql.rows import SHOWN
from isla_console.sql.values import Cut, text
from isla_console.sql.verdict import Verdict
from isla_console.sql.writing import PendingWrite
from isla_console.text.plain import plain
from isla_console.text.spans import countdown, took_text
from isla_console.text.times import clock_text
from isla_console.ui.theme import MUTED, STYLES

CELL = 48
"""The most cells of a column; Enter shows a row in full."""
NULL = "∅"
PROMISE = (
    "A read-only transaction is not proof: what a foreign server or an extension's own code does, "
    "the guard cannot see."
)
_CLASS_STYLES = {"read": "$success", "maintenance": "$warning bold", "write": "$warning bold"}
_LONG_S = {"warn": 60.0, "bad": 300.0}
_AGES = frozenset({"age", "duration", "transaction_age", "idle_for", "longest_idle", "x_age", "q_age"})
_COUNTS = {"would_shrink": (0, 0), "hidden": (0, 0), "dead_percent": (10, 20), "failed_24h": (0, 3),
           "waiting_for_lock": (0, 5), "idle_in_transaction": (0, 10)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """One of the runbook's statements, with its place among them."""

    step: Step
    issue: str
    number: int
    of: int

    @property
    def title(self) -> str:
        return f"{self.issue}: {self.step.title} ({self.number} of {self.of})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one query, and when: columns, rows and verdict are never another one's."""

    query: Query
    result: SqlResult
    at: datetime

    @property
    def title(self) -> str:
        """What the rows are rows of, in one line."""
        return plain(" ".join(self.query.text[:400].split()))


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows in the table: those of one answer, as they are filtered and sorted."""

    answer: Answer
    rows: tuple[tuple[str | None, ...], ...]
    sorted_by: tuple[int, bool] | None = None
    """The column's index, and whether the greatest comes first."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the rows."""
        return self.answer.result.columns

    def arranged(self, wanted: str, sorted_by: tuple[int, bool] | None) -> TableRows:
        """Return the answer's rows that contain `wanted`, in another order."""
        wanted = wanted.casefold()
        rows = [
            row
            for row in self.answer.result.rows
            if not wanted or any(wanted in shown(value).casefold() for value in row)
        ]
        if sorted_by is not None:
            column, down = sorted_by
            type_name = self.columns[column].type
            rows.sort(key=lambda row: _sort_key(row[column], type_name), reverse=down)
            rows.sort(key=lambda row: row[column] is None)
        return TableRows(self.answer, tuple(rows), sorted_by)


def statements(state: ConsoleState, issue_id: str | None) -> list[Statement]:
    """Return the SQL steps of an issue in the runbook's order, or of all issues when none is chosen."""
    found: list[Statement] = []
    for issue in state.runbook.issues:
        if issue_id is not None and issue.id != issue_id:
            continue
        steps = [*issue.diagnosis, *(step for cause in issue.resolutions for step in cause.steps)]
        chosen = [step for step in steps if step.kind == "sql" and step.run and not step.blocked]
        found += [Statement(step, issue.title, number, len(chosen)) for number, step in enumerate(chosen, 1)]
    return found


def connection_line(state: ConsoleState) -> Content:
    """Say which database it is, the role, the protection and how full it is."""
    reading = state.database.reading if state.database else None
    if reading is None:
        return Content.styled("No database: set ISLA_DATABASE_URL to a read-only role's address.", "$warning")
    if reading.state != "ok":
        return Content.styled(f"{reading.state}: {reading.reason}", STYLES["alert"])
    parts = [
        f"{reading.role} on {reading.database}",
        _limits(reading),
        reading.tls,
        reading.mode,
        *([used] if (used := _used(state)) else []),
    ]
    line = Content.styled(" · ".join(parts), MUTED)
    if state.database is not None and state.database.unlock is not None and state.database.armed is not None:
        # What follows is said of the connection that reads.
        line = Content.assemble((f"writes by {state.database.armed.role} · ", "$warning"), line)
    for warning in reading.warnings:
        line = Content.assemble(line, (f" · {warning}", "$warning"))
    return line


def _limits(reading: SessionReading) -> str:
    limit = reading.settings.get("statement_timeout", "")
    seconds = f"{int(limit) // 1000} s" if limit.isdigit() else limit
    return f"READ ONLY, at most {seconds}"


def _used(state: ConsoleState) -> str:
    found = state.reading("db-connections")
    return f"{found.text} connections" if found is not None and found.text else ""


def verdict_line(verdict: Verdict | None, state: ConsoleState) -> Content:
    """Say what the guard thinks of the statement, and what happens if it is run."""
    if verdict is None:
        return Content("")
    style = _CLASS_STYLES.get(verdict.kind, STYLES["alert"])
    line = Content.styled(verdict.text, style)
    if verdict.kind == "read":
        return line
    return Content.assemble(line, (f" · {_way(verdict, state)}", MUTED))


def _way(verdict: Verdict, state: ConsoleState) -> str:
    database = state.database
    if any("ends sessions" in reason for reason in verdict.reasons):
        return "a (sessions) ends them, one by one"
    if verdict.kind == "unproven":
        return "x asks for a typed word"
    if verdict.kind not in {"write", "maintenance"}:
        return "not run from here"
    if database is None or database.armed is None:
        return "set ISLA_DATABASE_ADMIN_URL to write"
    return "x runs it, in sight" if database.unlock is not None else "U unlocks writing"


def answer_lines(answer: Answer | None, table: TableRows | None, said: str, text: str) -> list[Content]:
    """Draw what came of the newest query: how many rows, or the error with its place, hint and meaning.

    `text` is the statement in the editor: an answer to another one says so.
    """
    lines: list[Content] = []
    if said:
        lines.append(Content.styled(said, MUTED))
    if answer is None:
        return lines or [Content.styled(PROMISE, MUTED)]
    result = answer.result
    if answer.query.asked != text and (result.refused or result.error is not None):
        lines.append(Content.styled(f"of  {answer.title}", MUTED))
    if result.refused:
        return [*lines, Content.styled(f"Not run: {result.refused}", STYLES["elevated"])]
    if (error := result.error) is not None:
        place = f" · line {error.line}, column {error.column}" if error.line else ""
        code = f" ({error.sqlstate})" if error.sqlstate else ""
        lines.append(Content.styled(f"◆ {error.message}{code}{place}", STYLES["alert"]))
        for label, told in (("Detail", error.detail), ("Hint", error.hint), ("Means", error.meaning)):
            if told:
                lines.append(Content.assemble((f"{label}  ", MUTED), told))
        return lines
    rows = f"{result.row_count} row{'s' if result.row_count != 1 else ''}"
    if result.truncated:
        rows = f"the first {result.row_count} of more{_size(result.too_long)}; S exports all"
    many = len(table.rows) if table is not None and table.answer is answer else result.row_count
    found = f" · {many} shown" if many != result.row_count else ""
    times = f"{took_text(result.duration_ms / 1000)} · first row {took_text(result.first_row_ms / 1000)}"
    style = STYLES["elevated"] if result.truncated else ""
    lines.append(Content.assemble((rows, style), (f"{found} in {times} · {NULL} is NULL", MUTED)))
    if result.cut:
        cells = "1 cell" if result.cut == 1 else f"{result.cut} cells"
        told = f"{cells} cut at {bytes_text(SHOWN.cell)}: S exports them whole; enter says each length"
        lines.append(Content.styled(told, STYLES["elevated"]))
    return lines


def _size(received: int) -> str:
    return f", {bytes_text(received)} of them" if received else ""


def bytes_text(many: int) -> str:
    """Write a number of bytes: 512 KiB, 3.4 MiB."""
    return f"{many / 1024**2:.1f} MiB" if many >= 1024**2 else f"{many / 1024:.0f} KiB"


def whose_lines(answer: Answer, now: datetime, *, is_other: bool = True) -> list[Content]:
    """Say whose rows they are, and when they came.

    `is_other`: they are not the answer to the statement in the editor.
    """
    words = "older rows of" if is_other else "rows of"
    when = f" {clock_text(answer.at, now, seconds=True)}  "
    style = STYLES["elevated"] if is_other else MUTED
    return [Content.assemble((words, style), (when, MUTED), answer.title)]


def held_line(text: str) -> Content:
    """Say that a text is too long to be edited here."""
    lines = text.count("\n") + 1
    size = f"{len(text):,} characters" + (f" in {lines:,} lines" if lines > 1 else "")
    return Content.styled(
        f"{size}: its beginning is shown, all of it is judged and run; Q begins a new one", MUTED
    )


def pending_lines(write: PendingWrite, left_s: float, of: str = "") -> list[Content]:
    """Draw an open transaction: how much it changed, before and after, and how long it still waits."""
    head = Content.assemble(
        (f"{of}  " if of else "", "bold"),
        (f" {write.status} ", "$background on $warning bold"),
        f" not committed, rolled back in {countdown(left_s)}   ",
        ("C", "$accent bold"),
        " commit   ",
        ("B", "$accent bold"),
        " roll back",
    )
    lines = [head]
    for name, sample in (("before", write.before), ("after", write.after)):
        for row in sample.rows:
            pairs = zip(sample.columns, row, strict=True)
            told = "  ".join(f"{column.name}={shown(value)}" for column, value in pairs)
            lines.append(Content.assemble((f"{name:<7}", MUTED), told))
    return lines


def shown(value: str | None) -> str:
    """Write a value for a cell: NULL has its own sign, an empty text its quotes."""
    if value is None:
        return NULL
    return text(value) or "''"


def brief(value: str | None) -> str:
    """Write the beginning of a value, as much as a column can have, for a cell may hold a whole document."""
    return shown(value if value is None else value[: CELL + 1])


def cell(column: Column, value: str | None) -> Content:
    """Draw one cell, cut and coloured."""
    told = brief(value)
    if len(told) > CELL:
        told = told[: CELL - 1] + "…"
    style = MUTED if value is None or value == "" else cell_style(column.name, load(value, column.type))
    return Content.styled(told, style) if style else Content(told)


def cell_style(name: str, value: Any) -> str:
    """Return the colour of a loaded value, in a column that is known to mean something."""
    if name in _AGES and isinstance(value, timedelta):
        seconds = value.total_seconds()
        return (
            STYLES["alert"]
            if seconds > _LONG_S["bad"]
            else (STYLES["elevated"] if seconds > _LONG_S["warn"] else "")
        )
    if name in _COUNTS and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        warn, bad = _COUNTS[name]
        return STYLES["alert"] if value > bad else STYLES["elevated"] if value > warn else ""
    if name in {"state", "status", "wait_event_type"} and isinstance(value, str):
        if value in {"failed", "Lock"}:
            return STYLES["alert"]
        return STYLES["elevated"] if value.startswith("idle in transaction") else ""
    return ""


def _sort_key(value: str | None, type_name: str) -> tuple[int, Any]:
    """Return a key that sorts numbers and spans by size, and anything else by its text."""
    found = number(value, type_name)
    return (1, value or "") if found is None else (0, found)


def row_lines(columns: Sequence[Column], row: Sequence[str | None]) -> list[Content]:
    """Draw a row in full, one column after the other."""
    width = max((len(column.name) for column in columns), default=0)
    return [
        Content.assemble(
            (column.name.ljust(width), "$accent"),
            "  ",
            shown(value),
            (_cut_note(value), STYLES["elevated"]),
            (f"  {column.type}", MUTED),
        )
        for column, value in zip(columns, row, strict=True)
    ]


def _cut_note(value: str | None) -> str:
    if not isinstance(value, Cut):
        return ""
    return f" … cut at {bytes_text(len(value.encode()))} of {bytes_text(value.whole)}: S exports it whole"
