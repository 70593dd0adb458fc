"""What the console says in passing: one line at the bottom, instead of the keys, as long as it is true.

Nothing is covered by it, and it must never be the only place that says something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.content import Content
from textual.screen import Screen

from isla_console.text.plain import plain
from isla_console.ui.lines import ends
from isla_console.ui.widgets.text_block import TextBlock

LASTS_S = 8.0
"""Seconds for which a notice stays if nobody presses a key."""
SEEN_S = 1.0
"""Seconds that it stays at least: keys that were typed ahead do not take it away."""
MOST_LINES = 3
"""A longer text is cut; where it comes from has it in full."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A passing message."""

    text: str
    is_warning: bool = False
    holds: Callable[[], bool] | None = None
    """Whether what it says is still so; None if it is said of something that has happened."""
    said_at: float = 0.0

    def is_over(self, now: float, *, acted: bool = False) -> bool:
        """Return whether it has been read, has stood long enough, or is no longer true."""
        lasted = now - self.said_at
        if lasted >= (SEEN_S if acted else LASTS_S):
            return True
        return self.holds is not None and not self.holds()

    def lines(self, width: int, status: Content) -> list[Content]:
        """Return it as lines of a width, the first of which keeps `status` at its end."""
        mark, style = (" ▲ ", "$warning bold") if self.is_warning else (" ", "$foreground")
        room = max(10, width - 2 - (status.cell_length + 1 if status.cell_length else 0))
        content = Content.styled(mark + plain(self.text), style)
        wrapped = content.wrap(room) if content.cell_length > room else [content]
        if len(wrapped) > MOST_LINES:
            kept = wrapped[: MOST_LINES - 1]
            rest = Content(" ").join(wrapped[MOST_LINES - 1 :])
            wrapped = [*kept, rest.truncate(room, ellipsis=True)]
        first, *more = wrapped
        return [ends(first, Content.assemble(status, " "), width), *(line.pad_left(1) for line in more)]


class NoticeLine(TextBlock):
    """The notice on a sheet, below it: the sheet makes room."""

    DEFAULT_CSS = """
    NoticeLine { dock: bottom; height: auto; width: 100%; background: $panel; }
    """


async def show_on_sheet(screen: Screen[object], notice: Notice | None) -> None:
    """Show a notice at the bottom of a sheet, or take it away."""
    if not screen.is_attached:
        return  # it was answered meanwhile
    line = next(iter(screen.query(NoticeLine)), None)
    if notice is None:
        if line is not None:
            await line.remove()
        return
    if line is None:
        await screen.mount(line := NoticeLine())
    line.show_lines(notice.lines(screen.size.width, Content("")))
