"""The help: the keys that mean something here, made from the registry and the pages' own keys."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from isla_console.ui.commands import NO_INCIDENT, Command
from isla_console.ui.page_keys import ENTER, ONLY_ON, commands_here, covered, kind_of, own_keys
from isla_console.ui.theme import GLYPHS, STYLES
from isla_console.ui.widgets.focus import KeepsFocus

_MEANING = {
    "ok": "within bounds",
    "elevated": "between normal and alert",
    "alert": "beyond the alert bound (3 bad to enter, 2 good to leave)",
    "stale": "no sample for three intervals",
    "unknown": "no source or no sample yet: the panel says which setting is missing",
    "blind": "our own link fails its self-check: nothing is called down",
}


class HelpScreen(ModalScreen[None], KeepsFocus[None]):
    """Shows the keys of a page: its own first, then the registry's that mean something there.

    Keys that are not possible now say why. Last come commands whose key is the page's own here, and what the
    glyphs mean.
    """

    BINDINGS = [Binding("escape,question_mark,q,f1", "leave", "close", show=False)]

    def __init__(self, page: str, why_not: Callable[[Command], str]) -> None:
        super().__init__()
        self._page = page
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
        here = [
            (one, reason)
            for one in commands_here(self._page)
            # What only a drill or a replay has is no key of this console; what waits for an incident is.
            if not (reason := self._why_not(one.command)) or reason == NO_INCIDENT
        ]
        own, kind = own_keys(self._page), kind_of(self._page)
        titles = [*(one.command.title for one, _ in here), *(one.title for one in own)]
        room = max(map(len, titles)) + 2

        def line(shown: str, title: str, help: str, reason: str = "") -> Content:
            why = f"  ({reason})" if reason else ""
            return Content.assemble((f"  {shown:<7}", "bold"), f"{title:<{room}}", help, (why, "$muted"))

        lines = [_head("On this page")]
        if kind in ENTER:
            lines.append(line("enter", "", ENTER[kind]))
        lines += [line(key.shown, key.title, key.help) for key in own]
        groups: dict[str, list[Content]] = {}
        for one, reason in here:
            command = one.command
            said = line(one.shown or "^p", command.title, command.help, reason)
            if command.id in ONLY_ON:
                lines.append(said)
            else:
                groups.setdefault(command.group, []).append(said)
        for group, listed in groups.items():
            lines += [Content(""), _head("Columns" if group == "Page" else group), *listed]
        if hidden := [command.title for command in covered(self._page)]:
            lines += [Content(""), _head("By name here (^p): the page has their keys")]
            lines.append(Content(f"  {', '.join(hidden)}"))
        lines += [Content(""), _head("States")]
        lines += [
            Content.assemble("  ", (f"{GLYPHS[state]} {state:<9}", STYLES[state]), _MEANING[state])
            for state in GLYPHS
        ]
        lines += [
            Content(""),
            _head("Also"),
            Content("  Arrows, PgUp, PgDn, Home and End move; Tab changes the column, but never leaves a"),
            Content("  text; Escape closes what is open. Every time is UTC."),
        ]
        return lines


def _head(text: str) -> Content:
    return Content.styled(text, "$accent bold")
