"""The guard's sheet: what would happen, the undo, and the object to type; Enter or "yes" is not enough."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from isla_console.session.confirm import Confirmation, Sides
from isla_console.text.plain import plain
from isla_console.text.spans import age
from isla_console.text.times import clock_text
from isla_console.ui.theme import MUTED
from isla_console.ui.views.issue import EFFECTS
from isla_console.ui.views.runs import table_lines
from isla_console.ui.widgets.focus import KeepsFocus

WIDEST = 92
"""Cells of a line at most."""
FRAME = 6
"""Cells of the screen's width that the sheet's border and padding take."""
LABEL = 18
"""Cells of a fact's name."""
TWIN_ROWS = 6
"""How many rows of the read-only twin's answer are shown."""


def confirmation_lines(confirmation: Confirmation, width: int) -> list[Content]:
    """Return what would happen in lines of at most `width` cells."""
    now = confirmation.at
    lines: list[Content] = []
    if (sides := confirmation.sides) is not None:
        lines += [*_side_lines(sides, now, width), Content("")]
    if (twin := confirmation.twin) is not None:
        lines.append(Content.assemble((f"{twin.title}: ", MUTED), (plain(twin.result), "bold")))
        lines += table_lines(twin.rows, width, now, most=TWIN_ROWS) if twin.rows else []
        lines.append(Content(""))
    if confirmation.findings:
        lines += [*(Content(plain(finding)) for finding in confirmation.findings), Content("")]
    for name, text in confirmation.facts:
        lines += _fact_lines(name, text, width)
    return lines


def _side_lines(sides: Sides, now: datetime, width: int) -> Iterator[Content]:
    """Yield what serves now and what would, each on a line, one under the other column by column."""
    both = (("from", sides.serving), ("to", sides.target))
    made = {
        name: f"{clock_text(one.created_at, now)}, {age(now - one.created_at)}"
        for name, one in both
        if one is not None and one.created_at
    }
    room = max(16, *map(len, made.values())) if made else 16
    for name, one in both:
        if one is None:
            yield Content.assemble((name.ljust(7), MUTED), "nothing that the API names")
            continue
        when = made.get(name, "").ljust(room)
        text = f"{one.id[:16]:<18}made {when}  {one.commit[:7]:<9}{one.author:<6}{one.message}"
        line = Content.assemble((name.ljust(7), MUTED), (plain(text), "bold" if name == "to" else ""))
        yield line.truncate(width, ellipsis=True)


def _fact_lines(name: str, text: str, width: int) -> list[Content]:
    """Return a fact's name with its text wrapped beside it."""
    wrapped: list[Content] = []
    for paragraph in text.splitlines():
        wrapped += Content(plain(paragraph)).wrap(max(10, width - LABEL))
    return [
        Content.assemble((name.ljust(LABEL) if index == 0 else " " * LABEL, MUTED), line)
        for index, line in enumerate(wrapped)
    ]


class GuardScreen(ModalScreen[str | None], KeepsFocus[str | None]):
    """Hands back the reason ("" without one) once the object is typed, or None when the person leaves."""

    BINDINGS = [
        Binding("escape", "leave", "leave it", show=False),
        Binding("enter", "next", show=False, priority=True),
        Binding("tab", "turn", show=False, priority=True),
        Binding("shift+tab", "turn", show=False, priority=True),
        Binding("pageup", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "scroll(1)", show=False, priority=True),
    ]

    def __init__(self, confirmation: Confirmation) -> None:
        super().__init__()
        self._confirmation = confirmation

    def compose(self) -> ComposeResult:
        asked = self._confirmation
        lines = confirmation_lines(asked, min(WIDEST, self.app.size.width - FRAME))
        sheet = Vertical(id="sheet", classes="guard")
        sheet.border_title = Content("Confirm")
        sheet.border_subtitle = Content("esc: leave it   pgdn: more")
        with sheet:
            yield Static(Content.assemble((asked.title, "bold"), "   ", EFFECTS[asked.effect]), id="effect")
            with VerticalScroll(id="facts", can_focus=False):
                yield Static(Content("\n").join(lines))
            yield Static(Content.styled(asked.question, "bold"), classes="label")
            box = Input(id="object", compact=True)
            box.cursor_blink = False
            yield box
            if asked.with_reason:
                yield Static(
                    Content.assemble(("Reason", "bold"), ("  may stay empty", MUTED)), classes="label"
                )
                reason = Input(id="reason", compact=True)
                reason.cursor_blink = False
                yield reason
            yield Static(id="problem")
            yield Static(Content.styled(asked.who, MUTED), id="who")

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#object"))

    async def action_next(self) -> None:
        """Go from the object to the reason; from the last field hand in, if the object is right."""
        await self._typed_out()
        if problem := self._confirmation.problem(self.query_one("#object", Input).value):
            self.query_one("#problem", Static).update(Content.styled(problem, "$error"))
            self.set_focus(self.query_one("#object"))
            return
        self.query_one("#problem", Static).update(Content(""))
        if self._confirmation.with_reason and self.focused is self.query_one("#object"):
            self.set_focus(self.query_one("#reason"))
            return
        self.dismiss(self.query_one("#reason", Input).value.strip() if self._confirmation.with_reason else "")

    async def action_turn(self) -> None:
        await self._typed_out()
        if self._confirmation.with_reason:
            to = "#reason" if self.focused is self.query_one("#object") else "#object"
            self.set_focus(self.query_one(to))

    def action_scroll(self, by: int) -> None:
        facts = self.query_one("#facts", VerticalScroll)
        facts.scroll_relative(y=by * max(1, facts.size.height - 1), animate=False)

    def action_leave(self) -> None:
        self.dismiss(None)

    async def _typed_out(self) -> None:
        """Wait until the focused field has taken in every key pressed before this one."""
        if self.focused is not None:
            taken_in = asyncio.Event()
            self.focused.call_later(taken_in.set)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(taken_in.wait(), 1)
