"""The SQL page: a statement, the guard's verdict on it, its rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import Any, Protocol, runtime_checkable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DataTable, Input, TextArea

from isla_console.session.state import ConsoleState
from isla_console.sql.history import FILE_NAME, History
from isla_console.sql.result import SqlResult
from isla_console.sql.statements import statement_at
from isla_console.sql.values import raw_text
from isla_console.sql.verdict import Verdict
from isla_console.sql.writing import PendingWrite
from isla_console.text.plain import plain
from isla_console.ui.messages import SqlAct, SqlAsked, SqlTyped
from isla_console.ui.pages.base import PageWidget
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.views import sql as views
from isla_console.ui.widgets.text_block import TextBlock

HINT = "x run i edit ,. next <> past g plan w watch S save / find s sort y copy"


@runtime_checkable
class IssueScreen(Protocol):
    """A screen that knows which issue was open last."""

    @property
    def last_issue(self) -> str | None:
        """The id of the issue that was open last."""


class SqlPage(PageWidget):
    """The page. Keys work on the rows; in the editor, Escape returns to the rows and F5 runs."""

    page = "sql"
    BINDINGS = [
        Binding("x,f5", "ask('run')", "run"),
        Binding("X", "ask('stop')", "stop"),
        Binding("g", "ask('explain')", "explain"),
        Binding("G", "ask('analyze')", "explain analyze"),
        Binding("w", "ask('watch')", "watch"),
        Binding("S", "ask('export')", "export"),
        Binding("U", "ask('unlock')", "unlock"),
        Binding("C", "ask('commit')", "commit"),
        Binding("B", "ask('back')", "roll back"),
        Binding("i", "edit", "edit"),
        Binding("full_stop", "statement(1)", "next statement"),
        Binding("comma", "statement(-1)", "previous statement"),
        Binding("less_than_sign", "history(-1)", "older"),
        Binding("greater_than_sign", "history(1)", "newer"),
        Binding("slash", "find", "find"),
        Binding("s", "sort", "sort"),
        Binding("y", "copy('cell')", "copy"),
        Binding("Y", "copy('row')", "copy row"),
        Binding("escape", "leave", show=False),
    ]

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.statement: views.Statement | None = None
        self.result: SqlResult | None = None
        self.said = ""
        """What is under way, or the result of the last statement that gave no rows."""
        self.history: History | None = None
        self._state: ConsoleState | None = None
        self._verdict: Verdict | None = None
        self._judged = ""
        self._pending: tuple[PendingWrite, datetime, str] | None = None
        self._rows: Sequence[tuple[Any, ...]] = ()
        self._sorted: tuple[int, bool] | None = None
        self._issue = ""

    def compose(self) -> ComposeResult:
        yield TextBlock(id="sql-head")
        language = "sql" if find_spec("tree_sitter_sql") is not None else None
        editor = TextArea(
            "", language=language, id="sql-editor", show_line_numbers=False, soft_wrap=False, compact=True
        )
        editor.cursor_blink = False
        yield editor
        yield TextBlock(id="sql-verdict")
        box = Input(id="sql-find", placeholder="only rows with …", compact=True)
        box.cursor_blink = False
        yield box
        table: DataTable[Content] = DataTable(id="sql-rows", zebra_stripes=False, cursor_type="cell")
        yield table
        yield TextBlock(id="sql-foot")

    def on_mount(self) -> None:
        self.border_title = "SQL"
        self.border_subtitle = HINT

    def place_focus(self) -> Widget:
        return self.query_one("#sql-rows")

    @property
    def text(self) -> str:
        """The statement under the cursor."""
        editor = self.query_one(TextArea)
        offset = _offset(editor)
        return statement_at(editor.text, offset)[1].strip() or editor.text.strip()

    def show(self, state: ConsoleState) -> None:
        first, self._state = self._state is None, state
        if first:
            settings = getattr(self.app, "settings", None)
            if settings is not None:
                self.history = History(settings.state_dir / FILE_NAME)
        issue = self._near(state)
        if first or issue != self._issue:
            self._issue = issue
            # Keep a statement that a step brought here before the page was first drawn.
            if not self.query_one(TextArea).text or (self.statement is not None and not first):
                self.statement = None
                self.action_statement(0)
        self._draw()

    def _near(self, state: ConsoleState) -> str:
        """Return the issue whose statements come first: the one open last, the incident's, the likeliest."""
        looked_at = self.screen.last_issue if isinstance(self.screen, IssueScreen) else None
        likeliest = state.triage.first.issue if state.triage.first is not None else ""
        return looked_at or (state.incident.issue if state.incident else None) or likeliest or ""

    def take(self, statement: views.Statement | None, text: str) -> None:
        """Put a statement into the editor."""
        self.statement = statement
        self.query_one(TextArea).load_text(text)

    def judged(self, text: str, verdict: Verdict) -> None:
        """Show the guard's verdict, if the text is still the same."""
        if text == self.text:
            self._verdict, self._judged = verdict, text
            self._draw()

    def say(self, text: str) -> None:
        """Say what is under way, or what came of it, above the result."""
        self.said = text
        self._draw()

    def show_result(self, result: SqlResult, of: str = "") -> None:
        """Show rows, or why there are none; the old rows stay under an error.

        `of` is the statement if it is the one in the editor, "" for a plan or preview.
        """
        self.result = result
        self._pending = None
        if of == self.text:
            self._verdict, self._judged = result.verdict, of
        if result.ok:
            self._sorted = None
            self._fill()
        if result.error is not None and result.error.line:
            editor = self.query_one(TextArea)
            start = statement_at(editor.text, _offset(editor))[0]
            before = editor.text[:start]
            row, column = before.count("\n"), start - (before.rfind("\n") + 1)
            line = result.error.line - 1
            editor.move_cursor((row + line, result.error.column - 1 + (column if line == 0 else 0)))
        self._draw()

    def show_pending(self, write: PendingWrite, until: datetime, of: str = "") -> None:
        """Show a transaction that waits for a decision; `of` names the series that it belongs to."""
        self._pending = (write, until, of)
        self._draw()

    def hide_pending(self) -> None:
        """Remove the transaction: none waits any more."""
        self._pending = None
        self._draw()

    @property
    def selected(self) -> int | None:
        """Return the index of the result row under the cursor among the rows that are shown."""
        table = self.query_one(DataTable)
        return table.cursor_row if self._rows and table.cursor_row < len(self._rows) else None

    def _draw(self) -> None:
        state = self._state
        if state is None:
            return
        self.border_title = f"SQL · {self.statement.title}" if self.statement else "SQL · free text"
        self.query_one("#sql-head", TextBlock).show_lines([views.connection_line(state)])
        self.query_one("#sql-verdict", TextBlock).show_lines([views.verdict_line(self._verdict, state)])
        if self._pending is not None:
            write, until, of = self._pending
            lines = views.pending_lines(write, max(0.0, (until - state.now).total_seconds()), of)
        else:
            lines = views.result_lines(self.result, len(self._rows), self.said)
        self.query_one("#sql-foot", TextBlock).show_lines(lines)

    def _fill(self) -> None:
        """Show the result's rows, filtered and sorted."""
        result, table = self.result, self.query_one(DataTable)
        if result is None or not result.ok:
            return
        wanted = self.query_one("#sql-find", Input).value.casefold()
        rows = [
            row for row in result.rows if not wanted or any(wanted in views.shown(v).casefold() for v in row)
        ]
        if self._sorted is not None:
            column, down = self._sorted
            rows.sort(key=lambda row: _sort_key(row[column]), reverse=down)
            rows.sort(key=lambda row: row[column] is None)
        self._rows = rows
        place = table.cursor_coordinate
        table.clear(columns=True)
        for index, column_ in enumerate(result.columns):
            mark = (
                "" if self._sorted is None or self._sorted[0] != index else " ↓" if self._sorted[1] else " ↑"
            )
            label = plain(column_.name) + mark
            most = max((len(views.shown(row[index])) for row in rows), default=0)
            table.add_column(Text(label), width=max(len(label), min(views.CELL, most)))
        width = {
            index: max((len(views.shown(row[index])) for row in rows), default=0)
            for index, column_ in enumerate(result.columns)
            if column_.is_number
        }
        for row in rows:
            cells = [views.cell(column_, value) for column_, value in zip(result.columns, row, strict=True)]
            for index, most in width.items():
                cells[index] = Content(" " * (most - cells[index].cell_length)) + cells[index]
            table.add_row(*cells)
        table.move_cursor(row=min(place.row, max(0, len(rows) - 1)), column=place.column)

    def action_ask(self, act: SqlAct) -> None:
        step = self.statement.step if self.statement is not None else None
        self.post_message(SqlAsked(act, self.text, step))

    def action_edit(self) -> None:
        self.screen.set_focus(self.query_one(TextArea))

    def action_leave(self) -> None:
        self.query_one("#sql-find", Input).remove_class("-open")
        self.screen.set_focus(self.place_focus())

    def action_statement(self, by: int) -> None:
        """Take the runbook's next or previous statement."""
        if self._state is None:
            return
        known = views.statements(self._state, self._issue or None)
        if not known:
            return
        ids = [one.step.id for one in known]
        here = ids.index(self.statement.step.id) if self.statement and self.statement.step.id in ids else 0
        chosen = known[(here + by) % len(known)] if self.statement else known[0]
        self.take(chosen, (chosen.step.run or "").rstrip())

    def action_history(self, by: int) -> None:
        """Take a statement of the history."""
        if self.history is not None:
            found = self.history.older() if by < 0 else self.history.newer()
            if found is not None:
                self.take(None, found)

    def action_find(self) -> None:
        box = self.query_one("#sql-find", Input)
        box.add_class("-open")
        self.screen.set_focus(box)

    def action_sort(self) -> None:
        """Sort by the column under the cursor: ascending, descending, as it came."""
        column = self.query_one(DataTable).cursor_column
        now = self._sorted if self._sorted is not None and self._sorted[0] == column else None
        self._sorted = (column, False) if now is None else (column, True) if not now[1] else None
        self._fill()
        self._draw()

    def action_copy(self, what: str) -> None:
        index = self.selected
        if index is None or self.result is None:
            return
        row = self._rows[index]
        cells = row if what == "row" else (row[self.query_one(DataTable).cursor_column],)
        self.post_message(SqlAsked("copy", "\t".join(raw_text(value) for value in cells)))

    @on(TextArea.Changed)
    def _typed(self) -> None:
        text = self.text
        if self.statement is not None and text != (self.statement.step.run or "").strip():
            self.statement = None
        if text != self._judged:
            self._verdict = None
        self.post_message(SqlTyped(text))

    @on(Input.Changed, "#sql-find")
    def _found(self) -> None:
        self._fill()
        self._draw()

    @on(Input.Submitted, "#sql-find")
    def _submitted(self) -> None:
        self.screen.set_focus(self.place_focus())

    @on(DataTable.CellSelected)
    def _chosen(self) -> None:
        if (index := self.selected) is not None and self.result is not None:
            lines = views.row_lines(self.result.columns, self._rows[index])
            self.app.push_screen(DetailScreen(f"Row {index + 1}", lines))


def _offset(editor: TextArea) -> int:
    """Return the cursor's place as a number of characters."""
    row, column = editor.cursor_location
    lines = editor.text.split("\n")
    return sum(len(line) + 1 for line in lines[:row]) + column


def _sort_key(value: Any) -> tuple[int, Any]:
    """Return a key that puts numbers first and anything that cannot be compared in order of its text."""
    if isinstance(value, bool) or value is None:
        return (1, str(value))
    if isinstance(value, int | float):
        return (0, value)
    if hasattr(value, "total_seconds"):
        return (0, value.total_seconds())
    try:
        return (0, float(value)) if not isinstance(value, str) else (1, value)
    except (TypeError, ValueError):
        return (1, raw_text(value))
