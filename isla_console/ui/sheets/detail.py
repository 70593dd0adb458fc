"""The sheet that shows something in full, which a row had to cut."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from isla_console.ui.widgets.focus import KeepsFocus


class DetailScreen(ModalScreen[None], KeepsFocus[None]):
    """Shows a title and wrapped lines, to scroll and to close."""

    BINDINGS = [Binding("escape,q,enter", "leave", "close", show=False)]

    def __init__(self, title: str, lines: Sequence[Content], *, small: bool = False) -> None:
        super().__init__()
        self._size_class = "" if small else "tall"
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        sheet = VerticalScroll(id="sheet", classes=self._size_class)
        sheet.border_title = Content(self._title)
        sheet.border_subtitle = "esc: close   ↑↓: scroll"
        with sheet:
            yield Static(Content("\n").join(self._lines))

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#sheet"))

    def action_leave(self) -> None:
        self.dismiss(None)
