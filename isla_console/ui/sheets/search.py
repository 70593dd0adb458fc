"""The search in the whole runbook, including commands and statements."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from isla_console.runbook.model import Runbook
from isla_console.runbook.search import search
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.widgets.focus import KeepsFocus
from isla_console.ui.widgets.rows import RowList

MOST_WORDS = 200
"""The most characters to search for, at each of which the whole runbook is searched."""


class SearchScreen(ModalScreen[str | None], KeepsFocus[str | None]):
    """Finds words as they are typed; Enter opens the chosen hit.

    Hands back the page and the row to open, such as `issue:redirect-down#step:deployments`.
    """

    BINDINGS = [
        Binding("escape", "leave", "close", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(8)", show=False, priority=True),
        Binding("pageup", "move(-8)", show=False, priority=True),
    ]

    def __init__(self, runbook: Runbook) -> None:
        super().__init__()
        self._runbook = runbook

    def compose(self) -> ComposeResult:
        sheet = Vertical(id="sheet", classes="tall")
        sheet.border_title = "Search the runbook"
        sheet.border_subtitle = "↑↓: choose   enter: open   esc: close"
        with sheet:
            box = Input(
                placeholder="words, a command, a table, a name",
                id="words",
                compact=True,
                max_length=MOST_WORDS,
            )
            box.cursor_blink = False
            yield box
            yield Static("", id="count")
            hits = RowList(id="hits")
            hits.can_focus = False
            yield hits

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Input))

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        words = event.value.strip()
        hits = search(self._runbook, words) if words else []
        rows = self.query_one("#hits", RowList)
        width = max(30, rows.row_width)
        shown = []
        for index, hit in enumerate(hits):
            left = Content.assemble((hit.title, "bold"), "  ", (hit.excerpt, "$muted"))
            shown.append(
                Row(
                    RowKey("hit", f"{index} {hit.target}"),
                    ends(left, Content.styled(hit.where, "$accent"), width),
                )
            )
        rows.show_rows(shown)
        rows.go("")
        found = f"{len(hits)} found" if hits else ("nothing found" if words else "")
        self.query_one("#count", Static).update(Content.styled(found, "$muted"))

    @on(Input.Submitted)
    def _open(self) -> None:
        key = self.query_one("#hits", RowList).key
        # The second Enter of a burst comes when the sheet is already closed.
        if key and self.is_current:
            self.dismiss(key.split(" ", 1)[1])

    @on(RowList.Chosen)
    def _clicked(self, event: RowList.Chosen) -> None:
        self.dismiss(event.key.split(" ", 1)[1])

    def action_move(self, by: int) -> None:
        rows = self.query_one("#hits", RowList)
        if rows.option_count:
            rows.highlighted = max(0, min(rows.option_count - 1, (rows.highlighted or 0) + by))

    def action_leave(self) -> None:
        self.dismiss(None)
