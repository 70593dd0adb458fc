"""What is written about an incident: the post-mortem, the handoff, and JSON.

`report` writes the post-mortem from the journal alone, without a clock or a live measurement, so that the
same journal gives the same bytes; what only a person can judge is marked, and listed at the end. Its sections
are in `story`, `cause` (with `series`, a metric's course) and `response`, each written onto a `page.Page`.
`handoff` is one screen for the next person, `view` the JSON of the commands without a screen.

Imports `record/`, `rules/` and `isla_console.text`. Begin with `report` below, then `page`.
"""

from __future__ import annotations

from collections.abc import Callable

from isla_console.incident.record.state import Incident
from isla_console.incident.report import cause, response, story
from isla_console.incident.report.page import Page, full_time
from isla_console.text.markdown import inline


def report(incident: Incident) -> str:
    """Write the whole post-mortem as Markdown, ending with a newline.

    An open incident is told up to its last event.
    """
    page = Page(incident, incident.last_at)
    for section in _SECTIONS:
        section(page)
    _write_questions(page)
    return "\n".join(page.lines).rstrip("\n") + "\n"


def _write_questions(page: Page) -> None:
    page.heading("Still needs a person")
    page.add(*(f"- [ ] {asked}" for asked in page.asked))
    incident = page.incident
    count = len(incident.timeline)
    page.add("", f"_Made from {count} journal entries, the last of {full_time(incident.last_at)}._")
    if incident.unknown_kinds:
        kinds = ", ".join(inline(kind) for kind in incident.unknown_kinds)
        page.add("", f"_Entries of kinds this console does not know are listed as they are: {kinds}._")


_SECTIONS: tuple[Callable[[Page], None], ...] = (
    story.title,
    story.summary,
    story.severity,
    story.impact,
    story.detection,
    story.timeline,
    cause.metrics,
    cause.factors,
    cause.fix,
    response.escalation,
    response.updates,
    response.checklist,
    response.overruled,
    response.actions,
    response.runbook,
)
