"""The communication page: texts filled from the incident, to edit, copy and mark as sent."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static, TextArea

from isla_console.incident.rules.cadence import update_due
from isla_console.incident.rules.communication import unfilled
from isla_console.session.state import ConsoleState
from isla_console.text.spans import countdown
from isla_console.text.times import clock_text
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.messages import DraftAct, DraftAsked
from isla_console.ui.page_keys import hint, page_bindings
from isla_console.ui.pages.base import PageWidget
from isla_console.ui.theme import MUTED
from isla_console.ui.views.communication import Draft, drafts
from isla_console.ui.widgets.rows import RowList


class CommunicationPage(PageWidget):
    """A list of texts, with the chosen one below it. It decides nothing and asks by messages."""

    page = "communication"
    BINDINGS = [*page_bindings("communication"), Binding("escape", "leave_text", "keep", show=False)]

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._edits: dict[str, dict[str, str]] = {}
        """By incident, and by text: what was typed for one incident is never sent for another."""
        self._state: ConsoleState | None = None

    @property
    def edits(self) -> dict[str, str]:
        """What was typed for this incident's texts, by their ids."""
        incident = self._state.incident if self._state is not None else None
        return self._edits.setdefault(incident.id if incident is not None else "", {})

    def compose(self) -> ComposeResult:
        yield RowList(id="texts")
        area = TextArea(id="text", read_only=True, soft_wrap=True, show_line_numbers=False)
        area.cursor_blink = False
        yield area
        yield Static(id="left")

    def on_mount(self) -> None:
        self.border_title = "Communication"
        self.border_subtitle = f"enter edit  {hint('communication')}  N snooze  b back"

    def place_focus(self) -> Widget:
        return self.query_one("#texts")

    def show(self, state: ConsoleState) -> None:
        self._state = state
        rows = self.query_one("#texts", RowList)
        rows.show_rows([_row(draft, state, rows.row_width) for draft in drafts(state, self.edits)])
        self._show_text()

    @property
    def draft(self) -> Draft | None:
        """The text under the cursor."""
        if self._state is None:
            return None
        key = RowKey.parse(self.query_one("#texts", RowList).key)
        return next((draft for draft in drafts(self._state, self.edits) if key and draft.id == key.id), None)

    def edit(self, id: str, text: str) -> None:
        """Take a text that was edited elsewhere."""
        self.edits[id] = text
        self._redraw()

    def forget(self, id: str) -> None:
        """Forget a text that was sent, so that the next one is filled again."""
        self.edits.pop(id, None)
        self._redraw()

    def action_ask(self, act: DraftAct) -> None:
        if (draft := self.draft) is not None:
            self.post_message(DraftAsked(act, draft))

    def action_leave_text(self) -> None:
        """Go back from the text to the list; what was typed is kept as a draft."""
        area = self.query_one(TextArea)
        if area.has_focus:
            area.read_only = True
            self.screen.set_focus(self.query_one("#texts"))
            if (draft := self.draft) is not None and draft.id in self.edits:
                self.post_message(DraftAsked("keep", draft))

    @on(RowList.Chosen, "#texts")
    def _edit_here(self, event: RowList.Chosen) -> None:
        event.stop()
        area = self.query_one(TextArea)
        # In a replay the texts are read, not written.
        area.read_only = self._state is None or bool(self._state.replay)
        self.screen.set_focus(area)

    @on(RowList.Moved, "#texts")
    def _other_text(self, event: RowList.Moved) -> None:
        event.stop()
        self._show_text()

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        if event.text_area.has_focus and not event.text_area.read_only and (draft := self.draft) is not None:
            self.edits[draft.id] = event.text_area.text
            self._show_left(draft)

    def _redraw(self) -> None:
        if self._state is not None:
            self.show(self._state)

    def _show_text(self) -> None:
        draft = self.draft
        area = self.query_one(TextArea)
        if draft is None or (area.has_focus and not area.read_only):
            return
        if area.text != draft.text:
            area.load_text(draft.text)
        self._show_left(draft)

    def _show_left(self, draft: Draft) -> None:
        left = unfilled(self.edits.get(draft.id, draft.text), draft.places)
        note = self.query_one("#left", Static)
        if left:
            note.update(Content.styled(f"Still to fill in, S asks for it: {', '.join(left)}", "$warning"))
        else:
            note.update(Content.styled("Nothing is left to fill in.", MUTED))


def _row(draft: Draft, state: ConsoleState, width: int) -> Row:
    left = Content.assemble(
        f" {draft.audience:<9}", (draft.title, "bold"), ("  edited" if draft.edited else "", MUTED)
    )
    return Row(RowKey("text", draft.id), ends(left, _when(draft, state, width >= 90), width))


def _when(draft: Draft, state: ConsoleState, with_reason: bool) -> Content:
    """Return when the text's next update is due, on its own clock."""
    clock = state.incident.policy.clock_of(draft.id, draft.audience) if state.incident else None
    if state.incident is None or clock is None:
        return Content("")
    due = update_due(state.incident, clock, state.now)
    if due.due_at is None:
        sent = f"last sent {clock_text(due.last_sent_at, state.now)}" if due.last_sent_at else "by hand"
        return Content.styled(sent, MUTED)
    seconds = (due.due_at - state.now).total_seconds()
    because = f": {due.because}" if with_reason and due.because else ""
    if due.stage == "snoozed" and due.snoozed_until is not None:
        return Content.styled(f"snoozed until {clock_text(due.snoozed_until, state.now)}", "$warning")
    if seconds < 0:
        return Content.styled(f"{countdown(seconds)} overdue{because}", "$error bold")
    return Content(f"due {clock_text(due.due_at, state.now)} (in {countdown(seconds)}){because}")
