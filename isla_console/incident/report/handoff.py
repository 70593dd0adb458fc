"""The handoff: everything the next person has to know, as one screen of plain text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from textwrap import wrap

from isla_console.incident.record.kinds import ROLES
from isla_console.incident.record.state import Incident
from isla_console.incident.record.words import few, sentence
from isla_console.incident.rules.cadence import updates
from isla_console.incident.rules.clocks import e_seconds, hold_until, t_seconds
from isla_console.incident.rules.escalation import ladder, next_rung, target_text
from isla_console.incident.rules.next import what_now
from isla_console.text.plain import plain
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text

MEASURED = 5
"""How many of the measures that are not well are named."""


def brief(
    incident: Incident,
    now: datetime,
    *,
    live: Sequence[str] | None = None,
    width: int = 78,
    height: int = 22,
) -> str:
    """Write the brief, at most `height` lines of at most `width` characters.

    It goes from what the incident is to what comes next. Roles, the people waited for and what comes next
    are always whole; decisions and open actions have two lines each, and the last things people did fill
    what is left. `live` is, in words, what is measured here now and may not be called well; None where
    nothing is measured here.
    """
    head = [
        f"{incident.severity} {incident.title} · {incident.state}",
        f"Since {clock_text(incident.impact_started_at, now)}"
        f" ({span_text(t_seconds(incident, now))}), unmitigated {span_text(e_seconds(incident, now))}",
        f"Impact: {incident.impact or 'not said yet'}",
        f"Roles: {_roles_text(incident)}",
        f"Ladder: {_ladder_text(incident, now)}",
        f"Told: {_updates_text(incident, now)}",
        f"Measured: {_measured_text(incident, live)}",
    ]
    if incident.issue:
        head.insert(1, f"Runbook issue: {incident.name('issue', incident.issue)}")
    decisions = [note for note in incident.notes if note.decision][-3:]
    known = [f"Decided {clock_text(note.at, now)}: {note.text}" for note in decisions]
    open_actions = [action for action in incident.actions.values() if action.done_at is None]
    if open_actions:
        known.append(f"Open actions: {'; '.join(action.text for action in open_actions)}")
    lines = [part for line in head for part in _wrapped(line, width)]
    coming = _wrapped(f"Next: {what_now(incident, now)}", width)
    middle = [part for line in known for part in _wrapped(line, width, rows=2)]
    lines = [*lines, *middle][: max(0, height - len(coming))] + coming
    room = height - len(lines) - 2
    acts = [event for event in incident.timeline if event.is_human][-max(room, 0) :] if room > 0 else []
    if acts:
        lines += ["", "Last:"]
        lines += [
            _cut(plain(f"  {clock_text(event.occurred_at, now)} {sentence(event, incident)}"), width)
            for event in acts
        ]
    return "\n".join(lines[:height])


def _wrapped(line: str, width: int, *, rows: int | None = None) -> list[str]:
    """Wrap a line, indenting what follows its first row; with `rows`, cut it after that many."""
    return wrap(
        plain(line), width, subsequent_indent="  ", break_on_hyphens=False, max_lines=rows, placeholder=" …"
    )


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def _roles_text(incident: Incident) -> str:
    parts = []
    for name in ROLES:
        role = incident.roles.get(name)
        holder = role.holder if role else None
        offered = f" (offered to {role.offered_to})" if role and role.offered_to else ""
        parts.append(f"{name} {holder or 'nobody'}{offered}")
    return ", ".join(parts)


def _ladder_text(incident: Incident, now: datetime) -> str:
    parts = []
    for rung in ladder(incident, now):
        if rung.is_engaged and rung.from_min:
            parts.append(f"{rung.level} {', '.join(target_text(target, now) for target in rung.whom)}")
        elif rung.status == "waived":
            parts.append(f"{rung.level} waived ({rung.reason})")
    held = hold_until(incident, now)
    coming = next_rung(incident, now)
    if held is not None:
        parts.append(f"held until {clock_text(held, now)}")
    if coming is not None and coming.due_at is not None:
        parts.append(f"{coming.level} at {clock_text(coming.due_at, now)}")
    return "; ".join(parts) or "on-call only, nothing to come"


def _updates_text(incident: Incident, now: datetime) -> str:
    parts = []
    for due in updates(incident, now):
        sent = f"last {clock_text(due.last_sent_at, now)}" if due.last_sent_at else "nothing sent"
        coming = f", due {clock_text(due.due_at, now)}" if due.due_at else ""
        overdue = " OVERDUE" if due.due_at is not None and due.due_at <= now else ""
        parts.append(f"{due.label.removesuffix(' update')} {sent}{coming}{overdue}")
    return "; ".join(parts)


def _measured_text(incident: Incident, live: Sequence[str] | None) -> str:
    """Name what is not well: by what is measured now, else by what was journalled last."""
    if live is not None:
        return few(live, MEASURED) if live else "all is well now"
    return f"nothing here; by the last entries {_journalled_text(incident)}"


def _journalled_text(incident: Incident) -> str:
    last = {
        (change.kind, change.name): change
        for change in incident.changes
        if change.kind in ("metric", "probe", "vendor")
    }
    bad = [change for change in last.values() if change.after != "ok"]
    if not bad:
        return "all was back to normal" if last else "nothing changed"
    return ", ".join(
        f"{incident.name(change.kind, change.name)} {change.after}"
        + (f" {change.value}" if change.value else "")
        for change in bad
    )
