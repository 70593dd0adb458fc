"""How people responded, and what follows from it."""

from __future__ import annotations

from datetime import datetime

from isla_console.incident.record.kinds import ROLES
from isla_console.incident.record.state import Incident
from isla_console.incident.record.words import OUTCOME_WORDS, came_of, few, same_person, sentence
from isla_console.incident.report.page import Page
from isla_console.incident.rules.cadence import update_due
from isla_console.incident.rules.cadence import updates as updates_due
from isla_console.incident.rules.escalation import Rung, Target, ladder
from isla_console.text.markdown import inline, table
from isla_console.text.spans import span_text


def escalation(page: Page) -> None:
    """Write who was called when, how late, and who held which role."""
    incident = page.incident
    page.heading("Escalation: who was called, who answered")
    rows = []
    for rung in ladder(incident, page.until):
        status = {"by_hand": "by hand", "current": "engaged"}.get(rung.status, rung.status)
        came = ""
        if rung.is_engaged:
            causes = {"time": "by the clock", "by_hand": "by hand", "severity": "by the raised severity"}
            came = causes.get(rung.cause or "", "by the impact start")
        waived = [
            f"waived {page.clock(act.at)}: {inline(act.text)}"
            for act in incident.level_acts
            if act.level == rung.level and act.kind == "level_waived"
        ]
        due = page.clock(rung.due_at) if rung.due_at and rung.is_engaged else ""
        if rung.late:
            came += ", found late"
        for target in rung.whom:
            said = [_target_text(page, rung, target)] if rung.is_engaged or target.state != "open" else []
            rows.append(
                (
                    inline(rung.level),
                    inline(target.target),
                    status,
                    due,
                    came,
                    "; ".join((*said, *waived)),
                )
            )
    head = ("Level", "Who", "Status", "Due", "How", "Called and answered")
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


def _target_text(page: Page, rung: Rung, target: Target) -> str:
    """Say what is known of a target: called by which way with what outcome, or who is on it."""
    if target.at is None:
        return "nobody was called or said they are on it"
    at = page.clock(target.at)
    via = f" by {inline(target.via)}" if target.via else ""
    if target.state != "on_it":
        who = f" {inline(target.person)}" if target.person else ""
        outcome = OUTCOME_WORDS.get(target.state, target.state)
        return f"{inline(target.by)} called{who} {at}{via}: {outcome}"
    after = (
        f" (after {span_text(target.at - rung.due_at)})" if rung.due_at and target.at >= rung.due_at else ""
    )
    word = "" if same_person(target.by, target.person) else f", says {inline(target.by)}{via}"
    return f"{inline(target.person)} on it {at}{after}{word}"


def updates(page: Page) -> None:
    """Write the updates that were sent, how late, and those that are missing."""
    incident = page.incident
    page.heading("Updates sent")
    rows = []
    for update in incident.updates:
        if update.stage != "sent":
            continue
        due = _due_before(incident, update.clock, update.at)
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
    for missing in updates_due(incident, page.until):
        last = incident.resolved_at is not None
        if missing.due_at is not None and (last or missing.due_at < page.until):
            which = f"last {missing.label}" if last else missing.label
            due_at = page.clock(missing.due_at)
            page.add("", f"The {inline(which)}, due {due_at}, was not sent by the last entry.")
    for claim in incident.overruled:
        if claim.state == "closed":
            page.add("", f"It was closed all the same by {inline(claim.by)}: {inline(claim.reason)}")


def _due_before(incident: Incident, clock: str, at: datetime) -> datetime | None:
    """Return when the update that was sent at `at` had been due."""
    earlier = tuple(event for event in incident.cadence_events if event.occurred_at < at)
    return update_due(incident, clock, at, cadence_events=earlier).due_at


def overruled(page: Page) -> None:
    """Write what was claimed against the evidence, and why; nothing where nothing was."""
    if not page.incident.overruled:
        return
    page.heading("Claimed against the evidence")
    rows = [
        (
            page.clock(claim.at),
            inline(claim.by),
            inline(claim.claim),
            inline("; ".join(claim.evidence)),
            inline(claim.reason),
        )
        for claim in page.incident.overruled
    ]
    page.add(*table(("At", "By", "Claimed", "What spoke against it", "Why all the same"), rows))


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
        against = [one for one in page.incident.overruled if one.item == tick.item]
        if tick.state == "ticked" and against:
            last = against[-1]
            more += f" · **against the evidence** ({inline(few(last.evidence))}): {inline(last.reason)}"
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
    skipped = "- Step {} was skipped: {}"
    proposed = [
        skipped.format(inline(incident.name("step", step.step)), inline(step.reason or "no reason given"))
        for step in incident.steps.values()
        if step.state == "skipped"
    ]
    for event in incident.timeline:
        # One that found other than was expected did its work.
        if event.kind == "ran" and event.data.get("exit_code") != 0 and event.data.get("met") is not False:
            step_id = event.data.get("step")
            what = incident.name("step", str(step_id)) if step_id else event.data.get("command")
            proposed.append(
                f"- {inline(str(what))} failed ({inline(came_of(event.data))}): does it still work?"
            )
        elif event.kind == "ran" and not event.data.get("step"):
            proposed.append(f"- Run by hand, not in the runbook: {inline(str(event.data.get('command')))}")
    page.add(*dict.fromkeys(proposed), *([""] if proposed else []))
    sha = incident.runbook_sha256[:12]
    page.add(f"Declared under the runbook {inline(sha) or 'of unknown version'}.", "")
    page.ask("Runbook", "what the runbook should have said.")
