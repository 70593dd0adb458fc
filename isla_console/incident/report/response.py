"""How people responded, and what follows from it."""

from __future__ import annotations

from datetime import datetime

from isla_console.incident.record.kinds import AUDIENCES, ROLES
from isla_console.incident.record.state import Incident
from isla_console.incident.record.words import sentence
from isla_console.incident.report.page import Page
from isla_console.incident.rules.cadence import update_due
from isla_console.incident.rules.escalation import ladder
from isla_console.text.markdown import inline, table
from isla_console.text.spans import span_text


def escalation(page: Page) -> None:
    """Write who was called when, how late, and who held which role."""
    incident = page.incident
    page.heading("Escalation: on time or late")
    rows = []
    for rung in ladder(incident, page.until):
        status = {"by_hand": "by hand", "current": "engaged"}.get(rung.status, rung.status)
        came = ""
        if rung.is_engaged:
            causes = {"time": "by the clock", "by_hand": "by hand", "severity": "by the raised severity"}
            came = causes.get(rung.cause or "", "by the impact start")
        acts = [act for act in incident.level_acts if act.level == rung.level]
        acknowledged = [
            f"{inline(act.person)} {page.clock(act.at)}"
            + (f" (after {span_text(act.at - rung.due_at)})" if rung.due_at else "")
            for act in acts
            if act.kind == "acknowledged"
        ]
        waived = [
            f"waived {page.clock(act.at)}: {inline(act.text)}" for act in acts if act.kind == "level_waived"
        ]
        due = page.clock(rung.due_at) if rung.due_at and rung.is_engaged else ""
        found = "late" if rung.late else ("on time" if rung.is_engaged else "")
        rows.append(
            (
                inline(rung.level),
                inline(", ".join(rung.targets)),
                status,
                due,
                came,
                found,
                "; ".join((*acknowledged, *waived)),
            )
        )
    head = ("Level", "Who", "Status", "Due", "How", "Found", "Acknowledged")
    page.add(*table(head, rows))
    for hold in incident.holds:
        span = span_text(hold.until - hold.started_at)
        page.add(
            "",
            f"Held from {page.clock(hold.started_at)} for {span} by {inline(hold.by)}: {inline(hold.reason)}",
        )
    roles = [
        f"- {page.clock(event.occurred_at)} {inline(sentence(event, incident))}"
        for event in incident.timeline
        if event.kind in ("role_accepted", "role_released")
    ]
    if roles:
        holders = ", ".join(
            f"{name} {inline(role.holder)}"
            for name in ROLES
            if (role := incident.roles.get(name)) is not None and role.holder
        )
        page.add("", f"Roles at the end: {holders or 'none'}.", "", *roles)


def updates(page: Page) -> None:
    """Write the updates that were sent, how late, and those that are missing."""
    incident = page.incident
    page.heading("Updates sent")
    rows = []
    for update in incident.updates:
        if update.stage != "sent":
            continue
        due = _due_before(incident, update.audience, update.at)
        if due is None:
            punctual = "not timed"
        elif update.at <= due:
            punctual = "on time"
        else:
            punctual = f"{span_text(update.at - due)} late"
        when = page.clock(due) if due else ""
        rows.append(
            (page.clock(update.at), update.audience, inline(update.by), inline(update.via), when, punctual)
        )
    if rows:
        page.add(*table(("Sent", "To", "By", "Through", "Due", "On time"), rows))
    else:
        page.add("None was sent.")
    for audience in AUDIENCES:
        missing = update_due(incident, audience, page.until)
        if missing.due_at is not None and missing.due_at < page.until:
            page.add(
                "", f"The {audience} update due {page.clock(missing.due_at)} was not sent by the last entry."
            )


def _due_before(incident: Incident, audience: str, at: datetime) -> datetime | None:
    """Return when the update that was sent at `at` had been due."""
    earlier = tuple(event for event in incident.cadence_events if event.occurred_at < at)
    return update_due(incident, audience, at, cadence_events=earlier).due_at


def checklist(page: Page) -> None:
    """Write the post-incident checklist."""
    page.heading("Checklist")
    for tick in page.incident.checklist.values():
        box = "x" if tick.state == "ticked" else " "
        if tick.state == "open":
            more = ""
        else:
            said = tick.evidence or tick.reason
            done = "not applicable" if tick.state == "na" else "done"
            when = page.clock(tick.at) if tick.at else ""
            more = f" · {done} {when} by {inline(tick.by)}" + (f": {inline(said)}" if said else "")
        page.add(f"- [{box}] {inline(tick.text)}{more}")
        if tick.state == "open":
            page.asked.append(f"Checklist: {inline(tick.text)}.")


def actions(page: Page) -> None:
    """Write the action items, and ask for missing owners and dates."""
    page.heading("Action items")
    rows = [
        (
            inline(action.text),
            action.type,
            inline(action.owner),
            inline(action.due),
            f"done {page.clock(action.done_at)}" if action.done_at else "open",
        )
        for action in page.incident.actions.values()
    ]
    if rows:
        page.add(*table(("What", "Type", "Owner", "Due", "State"), rows))
    for action in page.incident.actions.values():
        if not action.owner or not action.due:
            page.asked.append(f"Action items: owner and date of “{inline(action.text)}”.")
    if not rows:
        page.ask("Action items", "what will prevent it, detect it sooner or soften it, each with an owner.")


def runbook(page: Page) -> None:
    """Write where the work left the runbook: steps skipped, steps that failed, commands of one's own."""
    incident = page.incident
    page.heading("Runbook changes proposed")
    proposed = [
        f"- Step {inline(step.step)} was skipped: {inline(step.reason or 'no reason given')}"
        for step in incident.steps.values()
        if step.state == "skipped"
    ]
    for event in incident.timeline:
        if event.kind == "ran" and event.data.get("exit_code") != 0:
            what = event.data.get("step") or event.data.get("command")
            proposed.append(
                f"- {inline(str(what))} failed with exit {event.data.get('exit_code')}: does it still work?"
            )
        elif event.kind == "ran" and not event.data.get("step"):
            proposed.append(f"- Run by hand, not in the runbook: {inline(str(event.data.get('command')))}")
    page.add(*dict.fromkeys(proposed), *([""] if proposed else []))
    sha = incident.runbook_sha256[:12]
    page.add(f"Declared under the runbook {inline(sha) or 'of unknown version'}.", "")
    page.ask("Runbook", "what the runbook should have said.")
