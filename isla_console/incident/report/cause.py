"""Why it happened and what ended it."""

from __future__ import annotations

from isla_console.incident.record.events import Event
from isla_console.incident.record.words import sentence
from isla_console.incident.report.page import Page
from isla_console.incident.report.series import measured
from isla_console.text.markdown import inline, table


def metrics(page: Page) -> None:
    """Write what each metric was before, during and after the impact."""
    page.heading("Metrics before, during and after")
    rows = [
        (
            inline(row.name),
            inline(row.before),
            inline(row.during),
            inline(row.after),
            inline(row.states),
            f"`{row.sparkline}`" if row.sparkline else "",
        )
        for row in measured(page.incident, page.until)
    ]
    if rows:
        head = ("Metric", "Before", "During, at its changes", "After", "States", "Course")
        page.add(*table(head, rows))
        values = "Values are those at changes of state: between them there may have been worse ones."
        course = "The course runs from the first change to the last, in equal steps; · is unmeasured."
        page.add("", f"{values} {course}")
    else:
        page.add("No metric changed its state.")


def factors(page: Page) -> None:
    """Write what may have contributed: vendors, our own link, decisions, symptoms ruled out."""
    incident = page.incident
    page.heading("Contributing factors")
    found = [
        f"- {page.clock(change.at)} {change.kind} {inline(incident.name(change.kind, change.name))}: "
        f"{inline(change.before)} → {inline(change.after)}"
        for change in incident.changes
        if change.kind in ("vendor", "link")
    ]
    found += [
        f"- {page.clock(note.at)} decided by {inline(note.by)}: {inline(note.text)}"
        for note in incident.notes
        if note.decision
    ]
    found += [
        f"- Ruled out: {inline(incident.name('symptom', symptom.symptom))} ({page.clock(symptom.at)})"
        for symptom in incident.symptoms.values()
        if not symptom.seen
    ]
    page.add(*found, *([""] if found else []))
    page.ask("Contributing factors", "why it could happen, and why it was not caught before.")


def fix(page: Page) -> None:
    """Write the changes made up to the mitigation, the last of which is the likeliest fix."""
    incident = page.incident
    page.heading("What fixed it")
    mitigated = incident.mitigated_at
    changes = [
        event
        for event in incident.timeline
        if _changes_something(event) and (mitigated is None or event.occurred_at <= mitigated)
    ]
    for event in changes:
        last = " **(the last before it was mitigated)**" if mitigated and event is changes[-1] else ""
        page.add(f"- {page.clock(event.occurred_at)} {inline(sentence(event, incident))}{last}")
    if changes:
        page.add("")
    reasons = [
        f"- {page.clock(change.at)} {change.state}: {inline(change.reason)}"
        for change in incident.states
        if change.state in ("mitigating", "monitoring", "resolved") and change.reason
    ]
    page.add(*reasons, *([""] if reasons else []))
    page.ask("What fixed it", "which change did it, and whether it is the lasting one.")


def _changes_something(event: Event) -> bool:
    if event.kind == "ran":
        return event.data.get("effect") in ("write", "destroy")
    if event.kind == "queried":
        return event.data.get("mode") == "write" and event.data.get("outcome") == "committed"
    return event.kind in ("step_done", "sessions_ended")
