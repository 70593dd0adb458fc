"""The post-mortem page: the report as it stands."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from isla_console.incident.record.state import Incident
from isla_console.incident.report import report
from isla_console.incident.rules.postmortem import postmortem
from isla_console.session.state import ConsoleState
from isla_console.text.spans import countdown
from isla_console.text.times import clock_text
from isla_console.ui.pages.base import PageWidget
from isla_console.ui.theme import MUTED


class PostmortemPage(PageWidget):
    """The report's Markdown as text; it is written again when the incident has changed."""

    page = "postmortem"

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawn: Incident | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="standing")
        with VerticalScroll(id="report"):
            yield Static(id="markdown", markup=False)

    def on_mount(self) -> None:
        self.border_title = "Post-mortem"
        self.border_subtitle = "O: owner and state  A: action item  isla-console report -o FILE  b: back"

    def place_focus(self) -> Widget:
        return self.query_one("#report")

    def show(self, state: ConsoleState) -> None:
        incident = state.incident
        if incident is None:
            return
        self.query_one("#standing", Static).update(_standing(incident, state))
        if incident is not self._drawn:
            self._drawn = incident
            lines = [_styled(line) for line in report(incident).splitlines()]
            self.query_one("#markdown", Static).update(Content("\n").join(lines))


def _standing(incident: Incident, console_state: ConsoleState) -> Content:
    found = postmortem(incident, console_state.now)
    owner = found.owner or "nobody yet: O"
    state = (found.state or "draft").replace("_", " ")
    if found.due_at is None:
        due = "not owed" if incident.rule.postmortem_h is None else "due 48 h after the resolve"
        if incident.rule.postmortem_h is not None:
            due = f"due {incident.rule.postmortem_h:g} h after the resolve"
        return Content.styled(f"{state} · owner {owner} · {due}", MUTED)
    left = (found.due_at - console_state.now).total_seconds()
    text = f"{state} · owner {owner} · due {clock_text(found.due_at, console_state.now)}"
    if found.is_overdue:
        return Content.styled(f"{text} · {countdown(left)} overdue", "$error bold")
    return Content(f"{text} (in {countdown(left)})")


def _styled(line: str) -> Content:
    """Return a line of Markdown with headings, and marks of what a person still has to write, emphasized."""
    if line.startswith("#"):
        return Content.styled(line, "$accent bold")
    if "TODO" in line or "To be written" in line:
        return Content.styled(line, "$warning")
    return Content(line)
