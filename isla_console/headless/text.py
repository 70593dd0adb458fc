"""Incidents as plain text for people; control characters from outside are shown, never obeyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from isla_console.incident.record.kinds import ROLES
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.ahead import ahead_sentence, begins_ahead
from isla_console.incident.rules.cadence import updates
from isla_console.incident.rules.clocks import e_seconds, hold_until, t_seconds
from isla_console.incident.rules.escalation import Rung, ladder, target_text
from isla_console.incident.rules.next import what_now
from isla_console.incident.rules.postmortem import postmortem
from isla_console.text.plain import plain
from isla_console.text.spans import elapsed, span_text
from isla_console.text.times import clock_text, full_text, parse_utc

_BOX = {"ticked": "[x]", "na": "[-]", "open": "[ ]"}


def list_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Format one line for each summary, columns aligned; `*` marks the open ones."""
    width = max(len(plain(row["id"])) for row in rows)
    lines = []
    for row in rows:
        mark = "*" if row["open"] else " "
        overdue = f"  OVERDUE: {', '.join(row['overdue'])}" if row["overdue"] else ""
        if row.get("ahead_s"):
            overdue += f"  CLOCK: entries {span_text(row['ahead_s'])} ahead of this host's"
        head = f"{mark} {plain(row['id']):<{width}}  {plain(row['severity']):<3} {row['state']:<13}"
        merged = f"  into {plain(row['merged_into'])}" if row["merged_into"] else ""
        took = f"  with {', '.join(map(plain, row['took_in']))}" if row["took_in"] else ""
        when = full_text(parse_utc(row["declared_at"]))
        lines.append(f"{head} {when}  {plain(row['title'])}{merged}{took}{overdue}")
    return "\n".join(lines) + "\n"


def show_text(incident: Incident, now: datetime) -> str:
    """Format the incident's state at `now`, in some twenty-five lines."""
    due = postmortem(incident, now)
    held = hold_until(incident, now)
    unknown = begins_ahead(incident, now)
    t = "?" if unknown else elapsed(t_seconds(incident, now))
    e = "?" if unknown else elapsed(e_seconds(incident, now))
    wrong = ahead_sentence(incident, now)
    lines = [
        f"{incident.severity} {incident.title} · {incident.state}",
        incident.id,
        *((f"CLOCK: {wrong}.",) if wrong else ()),
        *((f"{_unusable(incident)}.",) if incident.unusable else ()),
        "",
        f"T {t}  since {clock_text(incident.impact_started_at, now)}",
        f"E {e}" + (f"  held until {clock_text(held, now)}" if held else ""),
        "",
        "Next",
        f"  {what_now(incident, now)}",
        "",
        "Ladder",
        *(f"  {_rung_text(rung, now)}" for rung in ladder(incident, now)),
        "",
        "Updates",
    ]
    for update in updates(incident, now):
        when = f"due {clock_text(update.due_at, now)}" if update.due_at else "none due"
        overdue = f", overdue {span_text(update.overdue_s)}" if update.overdue_s else ""
        sent = f", last sent {clock_text(update.last_sent_at, now)}" if update.last_sent_at else ""
        lines.append(f"  {update.label.removesuffix(' update'):<9} {when}{overdue}{sent}")
    lines += ["", "Roles"]
    for name in ROLES:
        role = incident.roles.get(name)
        offered = f" (offered to {role.offered_to})" if role and role.offered_to else ""
        lines.append(f"  {name:<13} {(role.holder if role else None) or 'nobody'}{offered}")
    lines += ["", "Checklist"]
    lines += [f"  {_BOX[tick.state]} {tick.text}" for tick in incident.checklist.values()]
    if due.due_at is not None or due.state is not None:
        when = f", due {clock_text(due.due_at, now)}" if due.due_at else ""
        late = ", OVERDUE" if due.is_overdue else ""
        state = (due.state or "not begun").replace("_", " ")
        lines += ["", f"Post-mortem {state}, owner {due.owner or 'nobody'}{when}{late}"]
    return "".join(f"{plain(line)}\n" for line in lines)


def _unusable(incident: Incident) -> str:
    """Say which entries are shown but change nothing, and why."""
    found = list(incident.unusable.items())
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"Set aside, for its data does not fit: entry {found[0][0]} ({found[0][1]}){more}"


def _rung_text(rung: Rung, now: datetime) -> str:
    words = {"by_hand": "by hand only", "silent": "not at this severity"}
    status = words.get(rung.status, rung.status)
    if rung.status == "upcoming" and rung.due_at is None:
        status = "not counting"
    when = f" {'due' if rung.is_engaged else 'at'} {clock_text(rung.due_at, now)}" if rung.due_at else ""
    late = ", found late" if rung.late else ""
    if rung.is_engaged:
        whom = "; ".join(target_text(target, now) for target in rung.whom)
        return f"{rung.level:<3} {status}{when}{late}. {whom}"
    return f"{rung.level:<3} {', '.join(rung.targets)}: {status}{when}{late}"
