"""The page of streams: follow, pause, filter, stop. Leaving the page stops nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from isla_console.session.state import ConsoleState
from isla_console.steps.rows import Row as Record
from isla_console.steps.rows import cell, time_in
from isla_console.text.plain import plain
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text
from isla_console.ui.lines import RowKey
from isla_console.ui.messages import StopAsked
from isla_console.ui.page_keys import hint, page_bindings
from isla_console.ui.pages.base import PageWidget
from isla_console.ui.theme import MUTED, STYLES
from isla_console.ui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from isla_console.session.steps import RunView


@dataclass(frozen=True, slots=True)
class _Held:
    """What stood there when a stream was paused: that stream's lines, and no other's."""

    step: str
    started_at: datetime
    records: Sequence[Record]
    received: int


class _Lines(TextBlock, can_focus=True):
    """The newest lines of the stream that is shown."""


class StreamsPage(PageWidget):
    """Shows one stream at a time; left and right go to the others."""

    page = "streams"
    BINDINGS = [
        *page_bindings("streams"),
        Binding("escape", "close_filter", show=False),
        Binding("enter", "close_filter", show=False),
    ]

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.chosen = ""
        self._paused: _Held | None = None
        self._state: ConsoleState | None = None
        self._folded: dict[int, tuple[Record, str]] = {}
        """By a record's identity: the record, and the text that a filter searches."""

    def compose(self) -> ComposeResult:
        yield TextBlock(id="stream-head")
        box = Input(id="stream-filter", placeholder="only lines with …", compact=True)
        box.cursor_blink = False
        yield box
        yield _Lines(id="stream-lines")

    def on_mount(self) -> None:
        self.border_title = "Streams"
        self.border_subtitle = f"{hint('streams')}  b back"

    def place_focus(self) -> Widget:
        return self.query_one("#stream-lines")

    def show(self, state: ConsoleState) -> None:
        self._state = state
        streams = [view for view in state.runs.values() if view.is_stream]
        head, lines = self.query_one("#stream-head", TextBlock), self.query_one("#stream-lines", _Lines)
        if not streams:
            head.show_lines([Content.styled("No stream runs: x on a step marked stream starts one.", MUTED)])
            lines.show_lines([])
            return
        ids = [view.step.id for view in streams]
        if self.chosen not in ids:
            self.chosen = ids[-1]
        view = streams[ids.index(self.chosen)]
        held = self._paused
        if view.masked or (held is not None and (held.step, held.started_at) != _run_of(view)):
            held = self._paused = None
        wanted = self.query_one(Input).value.casefold()
        records = held.records if held is not None else view.records
        height = max(1, lines.content_size.height or 20)
        kept = self._with(wanted, records) if wanted else records
        head.show_lines(self._head(view, len(ids), len(kept), wanted))
        shown = [_line(record, _text(record)) for record in kept[-height:]]
        lines.show_lines([*shown, *[Content("")] * (height - len(shown))])

    def _with(self, wanted: str, records: Sequence[Record]) -> list[Record]:
        """Return the records whose line contains `wanted`; the lines are cached."""
        known = self._folded
        self._folded = {
            id(record): known.get(id(record)) or (record, _text(record).casefold()) for record in records
        }
        return [record for record, text in self._folded.values() if wanted in text]

    def _head(self, view: RunView, streams: int, kept: int, wanted: str) -> list[Content]:
        outcome = view.outcome
        if outcome is not None:
            held = ", PAUSED before its end" if self._paused is not None else ""
            state = Content.styled(plain(outcome.result) + held, MUTED)
        elif view.masked:
            state = Content.styled("its output is masked   V on the step shows it for 10 s", MUTED)
        elif self._paused is not None:
            state = Content.styled("PAUSED: it goes on, unseen", STYLES["elevated"])
        else:
            state = Content.styled("follows", "$success")
        which = f"  ({streams} streams)" if streams > 1 else ""
        found = f"  {kept} with “{plain(wanted)}”" if wanted else ""
        received = str(view.received)
        if self._paused is not None and view.received > self._paused.received:
            received = f"the first {self._paused.received} of {view.received}"
        return [
            Content.assemble((view.step.title, "bold"), which, "   ", state),
            Content.styled(f"{received} lines in {span_text(view.elapsed_s, seconds=True)}{found}", MUTED),
        ]

    def look_at(self, step: str) -> None:
        """Show a stream from the next state on, as it goes on."""
        self.chosen, self._paused = step, None

    @property
    def key(self) -> str:
        return str(RowKey("step", self.chosen)) if self.chosen else ""

    def action_pause(self) -> None:
        """Freeze what is shown; the stream itself goes on."""
        view = self._state.runs.get(self.chosen) if self._state is not None else None
        self._paused = (
            _Held(*_run_of(view), view.records, view.received)
            if view is not None and self._paused is None
            else None
        )
        self._redraw()

    def action_filter(self) -> None:
        box = self.query_one(Input)
        box.add_class("-open")
        self.screen.set_focus(box)

    def action_close_filter(self) -> None:
        box = self.query_one(Input)
        if not box.value:
            box.remove_class("-open")
        self.screen.set_focus(self.place_focus())

    def action_turn(self, by: int) -> None:
        if self._state is None:
            return
        ids = [view.step.id for view in self._state.runs.values() if view.is_stream]
        if ids:
            at = ids.index(self.chosen) if self.chosen in ids else 0
            self.chosen, self._paused = ids[(at + by) % len(ids)], None
            self._redraw()

    def action_stop(self) -> None:
        if self.chosen:
            self.post_message(StopAsked(self.chosen))

    @on(Input.Changed)
    def _filtered(self, event: Input.Changed) -> None:
        event.stop()
        self._redraw()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_close_filter()

    def _redraw(self) -> None:
        if self._state is not None:
            self.show(self._state)


def _run_of(view: RunView) -> tuple[str, datetime]:
    """Return which run of which step it is."""
    return view.step.id, view.started_at


def _text(record: Record) -> str:
    """Return a row of a stream as one line that begins with a short time."""
    parts = []
    for name, value in record.items():
        moment = time_in(name, value)
        parts.append(cell(value) if moment is None else clock_text(moment, seconds=True).removesuffix("Z"))
    return plain("  ".join(part for part in parts if part))


def _line(record: Record, text: str) -> Content:
    level = str(record.get("level") or "").casefold()
    style = {"error": STYLES["alert"], "fatal": STYLES["alert"], "warning": STYLES["elevated"]}.get(level, "")
    return Content.styled(text, style)
