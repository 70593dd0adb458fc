"""The commands: what a person wants, checked against the incident, as the events to write.

Each takes the incident, what is wanted, `author` and `now` (aware UTC), and returns the events; `Refused`
says why it cannot be done. Nothing here writes to the journal: the session does.

`lifecycle` declares an incident and takes it through its states, `ladder` acts on the escalation, `people`
on the roles, `updates` on what is told to whom, `work` on everything else. Imports `record/`, `rules/` and
`isla_console.text`. Begin with `base`.
"""

from __future__ import annotations

from isla_console.incident.commands.base import Refused, Stamp
from isla_console.incident.commands.ladder import (
    acknowledge,
    called,
    end_hold,
    escalate,
    hold,
    waive,
)
from isla_console.incident.commands.lifecycle import (
    adjust_start,
    cancel,
    change_impact,
    change_severity,
    change_state,
    close,
    declare,
    incident_id,
    merge,
    reopen,
    resolve,
)
from isla_console.incident.commands.people import accept_role, offer_role, release_role
from isla_console.incident.commands.updates import (
    copy_update,
    draft_update,
    send_update,
    snooze_update,
)
from isla_console.incident.commands.work import (
    add_action,
    change_postmortem,
    correct,
    decide,
    finish_action,
    mark_step,
    not_applicable,
    note,
    see_symptom,
    tick,
    untick,
)

__all__ = [
    "Refused",
    "Stamp",
    "accept_role",
    "acknowledge",
    "add_action",
    "adjust_start",
    "called",
    "cancel",
    "change_impact",
    "change_postmortem",
    "change_severity",
    "change_state",
    "close",
    "copy_update",
    "correct",
    "decide",
    "declare",
    "draft_update",
    "end_hold",
    "escalate",
    "finish_action",
    "hold",
    "incident_id",
    "mark_step",
    "merge",
    "not_applicable",
    "note",
    "offer_role",
    "release_role",
    "reopen",
    "resolve",
    "see_symptom",
    "send_update",
    "snooze_update",
    "tick",
    "untick",
    "waive",
]
