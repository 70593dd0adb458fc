"""The SQL page: a statement, the guard's verdict on it, its rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DataTable, Input, TextArea

from isla_console.session.sql_view import Query
from isla_console.session.state import ConsoleState
from isla_console.sql.history import FILE_NAME, History
from isla_console.sql.result import SqlResult
from isla_console.sql.statements import statement_at
from isla_console.sql.values import raw_text
from isla_console.sql.verdict import Verdict
from isla_console.sql.writing import PendingWrite
from isla_console.text.plain import plain
from isla_console.ui.messages import SqlAct, SqlAsked, SqlTyped
from isla_console.ui.page_keys import hint, page_bindings
from isla_console.ui.pages.base import PageWidget
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.views import sql as views
from isla_console.ui.widgets.editor import MOST, StatementEditor
from isla_console.ui.widgets.text_block import TextBlock


@runtime_checkable
class IssueScreen(Protocol):
    """A screen that knows which issue was open last."""

    @property
    def last_issue(self) -> str | None:
        """The id of the issue that was open last."""


class SqlPage(PageWidget):
    """The page. Keys work on the rows; in the editor, Escape returns to the rows and F5 runs."""

    page = "sql"
    BINDINGS = [*page_bindings("sql"), Binding("escape", "leave", show=False)]

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.statement: views.Statement | None = None
        self.answer: views.Answer | None = None
        """What came of the newest query."""
        self.table: views.TableRows | None = None
        """The rows that are shown: the newest answer's, or those of an older one, marked as that one's."""
        self.said = ""
        """What is under way, or the result of the last statement that gave no rows."""
        self.history: History | None = None
        self._state: ConsoleState | None = None
        self._verdict: tuple[str, Verdict] | None = None
        """The newest verdict, with the statement that it is about."""
        self._begun: Query | None = None
        """The query that was begun last, until it has an answer."""
        self._pending: tuple[PendingWrite, datetime, str] | None = None
        self._issue = ""
        self._text: tuple[str, int, str] | None = None

    def compose(self) -> ComposeResult:
        yield TextBlock(id="sql-head")
        yield StatementEditor(id="sql-editor")
        yield TextBlock(id="sql-verdict")
        box = Input(id="sql-find", placeholder="only rows with …", compact=True)
        box.cursor_blink = False
        yield box
        yield TextBlock(id="sql-whose")
        table: DataTable[Content] = DataTable(id="sql-rows", zebra_stripes=False, cursor_type="cell")
        yield table
        yield TextBlock(id="sql-foot")

    def on_mount(self) -> None:
        self.border_title = "SQL"
        self.border_subtitle = hint("sql")

    def place_focus(self) -> Widget:
        return self.query_one("#sql-rows")

    @property
    def editor(self) -> StatementEditor:
        """The editor."""
        return self.query_one(StatementEditor)

    @property
    def text(self) -> str:
        """The statement under the cursor."""
        editor = self.editor
        if editor.held:
            return editor.held.strip()
        whole, offset = editor.text, _offset(editor)
        if self._text is None or self._text[:2] != (whole, offset):
            self._text = (whole, offset, statement_at(whole, offset)[1].strip() or whole.strip())
        return self._text[2]

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
            if not self.editor.text or (self.statement is not None and not first):
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
        self.editor.take(text)
        if self.editor.held:  # what the editor shows of it may be what it showed before
            self.post_message(SqlTyped(self.text))
        self._draw()

    def judged(self, text: str, verdict: Verdict) -> None:
        """Keep the guard's verdict on a text, and show it while that is the statement."""
        self._verdict = (text, verdict)
        self._draw()

    def say(self, text: str) -> None:
        """Say what is under way, or what came of it, above the result."""
        self.said = text
        self._draw()

    def begin(self, query: Query) -> None:
        """Mark what is shown of another query as that one's: this one has no answer yet."""
        self._begun, self._pending = query, None
        self._draw()

    def show_result(self, result: SqlResult, query: Query) -> None:
        """Show what came of a query; without rows, those of an older one stay, marked as that one's."""
        if self._state is None:
            return
        self.answer = views.Answer(query, result, self._state.now)
        self._begun, self._pending = None, None
        if not query.about:
            self._verdict = (query.text, result.verdict)
        if result.ok:
            self._fill(views.TableRows(self.answer, ()))
        if result.error is not None and result.error.line and query.text == self.text:
            self._go_to(result.error.line, result.error.column)
        self._draw()

    def _go_to(self, line: int, column: int) -> None:
        """Move the editor's cursor to a place in the statement."""
        editor = self.editor
        if editor.held:
            return
        start = statement_at(editor.text, _offset(editor))[0]
        before = editor.text[:start]
        row, first = before.count("\n"), start - (before.rfind("\n") + 1)
        editor.move_cursor((row + line - 1, column - 1 + (first if line == 1 else 0)))

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
        return table.cursor_row if self.table and table.cursor_row < len(self.table.rows) else None

    @property
    def is_current(self) -> bool:
        """Return whether the rows are the newest answer, to the statement in the editor."""
        table = self.table
        if table is None or self._begun is not None or table.answer is not self.answer:
            return False
        return table.answer.query.asked == self.text

    def _draw(self) -> None:
        state = self._state
        if state is None:
            return
        text = self.text
        self.border_title = f"SQL · {self.statement.title}" if self.statement else "SQL · free text"
        self.query_one("#sql-head", TextBlock).show_lines([views.connection_line(state)])
        verdict = self._verdict[1] if self._verdict is not None and self._verdict[0] == text else None
        self.query_one("#sql-verdict", TextBlock).show_lines(
            [views.held_line(self.editor.held), views.verdict_line(verdict, state)]
            if self.editor.held
            else [views.verdict_line(verdict, state)]
        )
        self._draw_whose(state, text)
        if self._pending is not None:
            write, until, of = self._pending
            lines = views.pending_lines(write, max(0.0, (until - state.now).total_seconds()), of)
        else:
            answer = self.answer if self._begun is None else None
            lines = views.answer_lines(answer, self.table, self.said, text)
        self.query_one("#sql-foot", TextBlock).show_lines(lines)

    def _draw_whose(self, state: ConsoleState, text: str) -> None:
        """Say whose rows they are where they are not simply those of the statement in the editor."""
        table = self.table
        is_other = table is not None and not self.is_current
        self.query_one(DataTable).set_class(is_other, "-other")
        lines: list[Content] = []
        if table is not None and (is_other or table.answer.query.about):
            lines = views.whose_lines(table.answer, state.now, is_other=is_other)
        self.query_one("#sql-whose", TextBlock).show_lines(lines)

    def _fill(self, rows: views.TableRows) -> None:
        """Show an answer's rows, filtered by what is in the box and sorted as asked."""
        table = self.query_one(DataTable)
        shown = self.table = rows.arranged(self.query_one("#sql-find", Input).value, rows.sorted_by)
        place = table.cursor_coordinate
        table.clear(columns=True)
        widths = []
        for index, column in enumerate(shown.columns):
            mark = (
                ""
                if shown.sorted_by is None or shown.sorted_by[0] != index
                else " ↓"
                if shown.sorted_by[1]
                else " ↑"
            )
            label = plain(column.name) + mark
            most = max((len(views.brief(row[index])) for row in shown.rows), default=0)
            widths.append(most)
            table.add_column(Text(label), width=max(len(label), min(views.CELL, most)))
        for row in shown.rows:
            cells = [views.cell(column, value) for column, value in zip(shown.columns, row, strict=True)]
            for index, column in enumerate(shown.columns):
                if column.is_number:
                    cells[index] = Content(" " * (widths[index] - cells[index].cell_length)) + cells[index]
            table.add_row(*cells)
        table.move_cursor(row=min(place.row, max(0, len(shown.rows) - 1)), column=place.column)

    def action_ask(self, act: SqlAct) -> None:
        step = self.statement.step if self.statement is not None else None
        self.post_message(SqlAsked(act, self.text, step))

    def action_edit(self) -> None:
        self.screen.set_focus(self.editor)

    def action_new(self) -> None:
        """Begin an empty statement."""
        self.take(None, "")
        self.action_edit()

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
        if self.table is None:
            return
        column = self.query_one(DataTable).cursor_column
        match self.table.sorted_by:
            case (same, down) if same == column:
                now = None if down else (column, True)
            case _:
                now = (column, False)
        self._fill(replace(self.table, sorted_by=now))
        self._draw()

    def action_copy(self, what: str) -> None:
        index = self.selected
        if index is None or self.table is None:
            return
        row = self.table.rows[index]
        cells = row if what == "row" else (row[self.query_one(DataTable).cursor_column],)
        self.post_message(SqlAsked("copy", "\t".join(raw_text(value) for value in cells)))

    @on(TextArea.Changed)
    def _typed(self) -> None:
        editor = self.editor
        if not editor.held and len(editor.text) > MOST:
            self.take(None, editor.text)
            return
        text = self.text
        if self.statement is not None and text != (self.statement.step.run or "").strip():
            self.statement = None
        self._draw()
        self.post_message(SqlTyped(text))

    @on(StatementEditor.Held)
    def _held(self, event: StatementEditor.Held) -> None:
        self.take(None, event.text)

    @on(Input.Changed, "#sql-find")
    def _found(self) -> None:
        if self.table is not None:
            self._fill(self.table)
            self._draw()

    @on(Input.Submitted, "#sql-find")
    def _submitted(self) -> None:
        self.screen.set_focus(self.place_focus())

    @on(DataTable.CellSelected)
    def _chosen(self) -> None:
        if (index := self.selected) is not None and self.table is not None:
            lines = views.row_lines(self.table.columns, self.table.rows[index])
            whose = [] if self.is_current else views.whose_lines(self.table.answer, self.table.answer.at)
            self.app.push_screen(DetailScreen(f"Row {index + 1}", [*whose, *lines]))


def _offset(editor: TextArea) -> int:
    """Return the cursor's place as a number of characters."""
    row, column = editor.cursor_location
    lines = editor.text.split("\n")
    return sum(len(line) + 1 for line in lines[:row]) + column
