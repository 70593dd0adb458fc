"""What happened: the sections from the title to the timeline."""

from __future__ import annotations

from datetime import datetime

from isla_console.incident.record.events import Event
from isla_console.incident.record.facts import FirstSeen, SeverityChange
from isla_console.incident.record.state import Incident
from isla_console.incident.record.words import same_person, sentence
from isla_console.incident.report.page import Page, after, full_time
from isla_console.incident.rules.clocks import e_seconds, t_seconds
from isla_console.incident.rules.postmortem import postmortem
from isla_console.text.markdown import fenced, inline, table
from isla_console.text.spans import span_text
from isla_console.text.times import day_text

_BAD = frozenset({"alert", "down", "failing"})


def title(page: Page) -> None:
    """Write the title and the table of key facts."""
    incident = page.incident
    due = postmortem(incident, page.until)
    page.add(f"# Post-mortem: {inline(incident.title)}", "")
    rows = [
        ("Incident", f"`{incident.id.replace('`', '')}`"),
        ("Severity", inline(incident.severity)),
        ("State", incident.state + (f" into {inline(incident.merged_into)}" if incident.merged_into else "")),
        ("Impact began", full_time(incident.impact_started_at)),
        ("Declared", f"{full_time(incident.declared_at)} by {inline(incident.declared_by)}"),
        ("Mitigated", full_time(incident.mitigated_at)),
        ("Resolved", full_time(incident.resolved_at)),
        ("Lasted", span_text(t_seconds(incident, page.until))),
        ("Unmitigated", span_text(e_seconds(incident, page.until))),
        ("Post-mortem due", full_time(due.due_at)),
        ("Owner", inline(due.owner or "")),
        ("Stands at", (due.state or "draft").replace("_", " ")),
    ]
    page.add(*table(("", ""), rows))


def summary(page: Page) -> None:
    """Write what happened in two sentences, and ask for a better account."""
    incident = page.incident
    page.heading("Summary")
    began = page.clock(incident.impact_started_at)
    lasted = span_text(t_seconds(incident, page.until))
    severity = inline(incident.severities[0].severity)
    text = f"On {day_text(incident.declared_at)} “{inline(incident.title)}” was declared {severity}"
    text += f" at {page.clock(incident.declared_at)}. The impact began at {began}"
    if incident.ended_at is None:
        text += f" and had lasted {lasted} at the last entry; the incident is {incident.state}."
    else:
        text += f" and lasted {lasted}; the incident is {incident.state}."
    page.add(text, "")
    if incident.issue:
        page.add(f"Runbook issue: {inline(incident.name('issue', incident.issue))}.", "")
    for other in incident.took_in:
        page.add(f"The incident {inline(other)} was merged into this one.", "")
    page.ask("Summary", "what happened, in three sentences a customer would understand.")


def severity(page: Page) -> None:
    """Write which severities it had, and for how long."""
    incident = page.incident
    page.heading("Severity")
    end = incident.ended_at or page.until
    rows = []
    changes = incident.severities
    for index, change in enumerate(changes):
        upto = changes[index + 1].at if index + 1 < len(changes) else max(end, change.at)
        rows.append(_severity_row(page, change, upto))
    page.add(*table(("Severity", "From", "To", "Time in it", "By", "Why"), rows))


def _severity_row(page: Page, change: SeverityChange, upto: datetime) -> tuple[str, ...]:
    return (
        inline(change.severity),
        page.clock(change.at),
        page.clock(upto),
        span_text(upto - change.at),
        inline(change.by),
        inline(change.reason),
    )


def impact(page: Page) -> None:
    """Write what users experienced, the symptoms seen, and where the impact start was moved."""
    incident = page.incident
    page.heading("Impact")
    if incident.impact:
        page.add(f"What users experienced: {inline(incident.impact)}", "")
    seen = [symptom for symptom in incident.symptoms.values() if symptom.seen]
    for symptom in seen:
        value = f", {inline(symptom.value)}" if symptom.value else ""
        how = "measured" if symptom.by == "measured" else f"seen by {inline(symptom.actor)}"
        name = inline(incident.name("symptom", symptom.symptom))
        page.add(f"- Symptom: {name} ({how} at {page.clock(symptom.at)}{value})")
    for start in incident.impact_starts[1:]:
        page.add(
            f"- Impact start moved to {page.clock(start.impact_started_at)}"
            f" at {page.clock(start.at)}: {inline(start.reason)}"
        )
    if seen or len(incident.impact_starts) > 1:
        page.add("")
    if not incident.impact:
        page.ask("Impact", "what users experienced, how many of them, what it cost.")
    else:
        page.ask("Impact", "how many users, and what it cost.")


def detection(page: Page) -> None:
    """Write how long after the impact began each thing was noticed and done."""
    incident = page.incident
    page.heading("Detection and delay")
    began = incident.impact_started_at
    first = _first_alert(incident)
    rows = [("Impact began", page.clock(began), "")]
    declared = "Declared"
    if first is not None:
        name = inline(incident.name(first.kind, first.name))
        rows.append((f"First alert: {name}", page.clock(first.at), after(began, first.at)))
        if first.at < incident.declared_at:
            declared = f"Declared, {span_text(incident.declared_at - first.at)} after the first alert"
    rows.append((declared, page.clock(incident.declared_at), after(began, incident.declared_at)))
    acknowledged = next((act for act in incident.level_acts if act.kind == "acknowledged"), None)
    if acknowledged is not None:
        word = "" if same_person(acknowledged.by, acknowledged.person) else f", says {acknowledged.by}"
        who = f"First on it: {inline(acknowledged.person)} for {inline(acknowledged.level)}{inline(word)}"
        rows.append((who, page.clock(acknowledged.at), after(began, acknowledged.at)))
    for state in ("identified", "mitigating", "monitoring", "resolved"):
        entered = next((change.at for change in incident.states if change.state == state), None)
        if entered is not None:
            rows.append((state.capitalize(), page.clock(entered), after(began, entered)))
    page.add(*table(("What", "At", "After the impact began"), rows), "")
    page.ask("Detection", "who or what noticed first, and what would have noticed sooner.")


def _first_alert(incident: Incident) -> FirstSeen | None:
    """Return the first alert that is known: seen before the declaration, else journalled since."""
    known = [seen for seen in incident.first_seen if seen.state in _BAD]
    known += [
        FirstSeen(change.kind, change.name, change.at, change.after, change.value)
        for change in incident.changes
        if change.after in _BAD
    ]
    return min(known, key=lambda seen: (seen.at, seen.name), default=None)


def timeline(page: Page) -> None:
    """Write every entry of the timeline, marked where it was late or corrected."""
    incident = page.incident
    page.heading("Timeline")
    for event in incident.timeline:
        marks = []
        if event.kind != "level_due" and incident.is_late(event):
            marks.append(f"written down {page.clock(event.recorded_at)}")
        if event.id in incident.corrections:
            correction = incident.corrections[event.id]
            first = incident.originals[event.id]
            struck = f"~~{page.clock(first.occurred_at)} {inline(sentence(first, incident))}~~"
            marks.append(
                f"corrected {page.clock(correction.occurred_at)} by {inline(correction.actor)} from {struck}"
            )
        mark = f" _({'; '.join(marks)})_" if marks else ""
        page.add(f"- {page.clock(event.occurred_at)} {inline(sentence(event, incident))}{mark}")
        page.add(*_quoted_text(event))


def _quoted_text(event: Event) -> list[str]:
    """Quote, under its entry, what a step printed or what an update said."""
    said = {"ran": "output", "queried": "sql", "update_sent": "text"}.get(event.kind)
    text = event.data.get(said) if said else None
    if not isinstance(text, str) or not text.strip():
        return []
    lines = ["", *fenced(text, "  ")]
    if event.data.get("truncated"):
        lines += ["", "  _(cut here when it was recorded)_"]
    return [*lines, ""]
