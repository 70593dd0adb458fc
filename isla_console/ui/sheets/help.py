"""The help: all keys on one page, made from the registry."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from isla_console.ui.commands import COMMANDS, Command
from isla_console.ui.theme import GLYPHS, STYLES

_MEANING = {
    "ok": "within bounds",
    "elevated": "between normal and alert",
    "alert": "beyond the alert bound (3 bad to enter, 2 good to leave)",
    "stale": "no sample for three intervals",
    "unknown": "no source or no sample yet: the panel says which setting is missing",
    "blind": "our own link fails its self-check: nothing is called down",
}


class HelpScreen(ModalScreen[None]):
    """Shows keys by group, why some are not possible now, and what the glyphs mean."""

    BINDINGS = [Binding("escape,question_mark,q,f1", "leave", "close", show=False)]

    def __init__(self, why_not: Callable[[Command], str]) -> None:
        super().__init__()
        self._why_not = why_not

    def compose(self) -> ComposeResult:
        sheet = VerticalScroll(id="sheet", classes="tall")
        sheet.border_title = "Keys"
        sheet.border_subtitle = "esc: close   ↑↓: scroll"
        with sheet:
            yield Static(Content("\n").join(self._lines()))

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#sheet"))

    def action_leave(self) -> None:
        self.dismiss(None)

    def _lines(self) -> list[Content]:
        lines: list[Content] = []
        room = max(len(command.title) for command in COMMANDS) + 2
        for group in dict.fromkeys(command.group for command in COMMANDS):
            lines += [Content(""), Content.styled(group, "$accent bold")]
            for command in COMMANDS:
                if command.group == group:
                    reason = self._why_not(command)
                    lines.append(
                        Content.assemble(
                            (f"  {command.shown or '^p':<7}", "bold"),
                            f"{command.title:<{room}}",
                            command.help,
                            (f"  ({reason})" if reason else "", "$muted"),
                        )
                    )
        lines += [Content(""), Content.styled("States", "$accent bold")]
        lines += [
            Content.assemble("  ", (f"{GLYPHS[state]} {state:<9}", STYLES[state]), _MEANING[state])
            for state in GLYPHS
        ]
        lines += [
            Content(""),
            Content.styled("Also", "$accent bold"),
            Content(
                "  Arrows, PgUp, PgDn, Home and End move; Tab changes the column; Enter opens what is under"
            ),
            Content("  the cursor in full; Escape closes what is open. Every time is UTC."),
        ]
        return lines[1:]
