"""The guard: what would happen now, the undo, and the object to type. Never Enter alone, never "yes"."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from isla_console.ui.theme import MUTED

LEAST = 8
"""Characters of a long object from which its beginning is enough."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the guard shows and asks.

    `wanted` is the object to type; `others` are objects that it must not be mistaken for: a beginning is
    enough where it fits none of them. `who` stands at the foot.
    """

    title: str
    effect: Content
    lines: Sequence[Content]
    question: str
    wanted: str
    others: Sequence[str] = ()
    who: str = ""
    with_reason: bool = False

    def problem(self, typed: str) -> str:
        """What is wrong with what was typed; "" when it names the object."""
        typed = typed.strip()
        if typed == self.wanted:
            return ""
        alone = all(not other.startswith(typed) for other in self.others if other != self.wanted)
        if len(typed) >= LEAST and self.wanted.startswith(typed) and alone:
            return ""
        if typed in self.others:
            return f"{typed} is another one; here it is {self.wanted}"
        return f"type {self.wanted}" + (
            f" (its first {LEAST} characters are enough)" if len(self.wanted) > LEAST else ""
        )


class GuardScreen(ModalScreen[str | None]):
    """Hands back the reason ("" when none was given) once the object is typed, None when it is left."""

    BINDINGS = [
        Binding("escape", "leave", "leave it", show=False),
        Binding("enter", "next", show=False, priority=True),
        Binding("tab", "turn", show=False, priority=True),
        Binding("shift+tab", "turn", show=False, priority=True),
        Binding("pageup", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "scroll(1)", show=False, priority=True),
    ]

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self._asked = asked

    def compose(self) -> ComposeResult:
        asked = self._asked
        sheet = Vertical(id="sheet", classes="guard")
        sheet.border_title = Content("Confirm")
        sheet.border_subtitle = Content("esc: leave it   pgdn: more")
        with sheet:
            yield Static(Content.assemble((asked.title, "bold"), "   ", asked.effect), id="deed")
            with VerticalScroll(id="facts", can_focus=False):
                yield Static(Content("\n").join(asked.lines))
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
        """From the object to the reason; from the last one on with it, if the object is named."""
        await self._typed_out()
        if problem := self._asked.problem(self.query_one("#object", Input).value):
            self.query_one("#problem", Static).update(Content.styled(problem, "$error"))
            self.set_focus(self.query_one("#object"))
            return
        self.query_one("#problem", Static).update(Content(""))
        if self._asked.with_reason and self.focused is self.query_one("#object"):
            self.set_focus(self.query_one("#reason"))
            return
        self.dismiss(self.query_one("#reason", Input).value.strip() if self._asked.with_reason else "")

    async def action_turn(self) -> None:
        await self._typed_out()
        if self._asked.with_reason:
            to = "#reason" if self.focused is self.query_one("#object") else "#object"
            self.set_focus(self.query_one(to))

    def action_scroll(self, by: int) -> None:
        facts = self.query_one("#facts", VerticalScroll)
        facts.scroll_relative(y=by * max(1, facts.size.height - 1), animate=False)

    def action_leave(self) -> None:
        self.dismiss(None)

    async def _typed_out(self) -> None:
        """Wait until the focused box has taken in every key pressed before this one."""
        if self.focused is not None:
            taken_in = asyncio.Event()
            self.focused.call_later(taken_in.set)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(taken_in.wait(), 1)
