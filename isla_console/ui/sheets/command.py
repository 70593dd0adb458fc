"""The sheets of incident command: roles, impact, action items, updates, post-mortem, corrections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual.content import Content

from isla_console.incident.record.events import Event
from isla_console.incident.record.kinds import (
    ACTION_TYPES,
    KINDS,
    MEASURED_STATES,
    OUTCOMES,
    POSTMORTEM_STATES,
    ROLES,
    STATES,
)
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.cadence import UpdateDue
from isla_console.session.state import ConsoleState
from isla_console.text.times import clock_text
from isla_console.ui.sheets.ask import Answers, AskScreen, Choice, Field, required
from isla_console.ui.sheets.ladder import check_time

SNOOZE_MIN = ("5", "10", "15")


def roles_sheet(state: ConsoleState, incident: Incident) -> AskScreen:
    """Ask which role to take, offer, accept or give up."""

    def holder(name: str) -> str:
        role = incident.roles.get(name)
        offered = f", offered to {role.offered_to}" if role and role.offered_to else ""
        return f"{role.holder if role and role.holder else 'nobody'}{offered}"

    return AskScreen(
        "Roles",
        [
            Field("role", "Role", "commander", [Choice(name, name, holder(name)) for name in ROLES]),
            Field(
                "act",
                "Do",
                "accept",
                [
                    Choice("accept", "take it", "or accept what was offered"),
                    Choice("offer", "offer it", "it changes hands when they accept"),
                    Choice("release", "release it", "also for a holder who is gone"),
                ],
            ),
            Field("person", "Who", state.actor, check=required("a name")),
        ],
    )


def impact_sheet(state: ConsoleState, incident: Incident) -> AskScreen:
    """Ask what users experience, and since when."""
    began = clock_text(incident.impact_started_at, state.now, seconds=True)
    return AskScreen(
        "Impact",
        [
            Field("impact", "What users experience", incident.impact),
            Field(
                "since",
                "It began",
                hint=f"empty keeps {began}; 14:05 or 20m ago",
                check=check_time(state),
            ),
            Field("reason", "Why another begin", hint="needed to move it"),
        ],
    )


NEW_ACTION = "new"


def action_sheet(state: ConsoleState) -> AskScreen:
    """Ask for a new action item, or which one is done.

    The answer `which` is NEW_ACTION or the id of an open item; it is asked only if there is an open one.
    """
    known = state.incident.actions.values() if state.incident else ()
    left = [Choice(item.action, f"done: {item.text}", item.owner) for item in known if item.done_at is None]
    which = Field("which", "Action item", NEW_ACTION, [Choice(NEW_ACTION, "a new one"), *left])

    return AskScreen(
        "Action item",
        [
            *([which] if left else []),
            Field("text", "What is to be done"),
            Field("type", "It helps to", "prevent", [Choice(kind, kind) for kind in ACTION_TYPES]),
            Field("owner", "Owner", hint="may stay empty"),
            Field("due", "Due", hint="2026-12-01; may stay empty"),
        ],
    )


def postmortem_sheet(incident: Incident, console_state: ConsoleState) -> AskScreen:
    """Ask who writes the post-mortem, and how far it is."""
    return AskScreen(
        "Post-mortem",
        [
            Field(
                "owner", "Owner", incident.postmortem_owner or console_state.actor, check=required("an owner")
            ),
            Field(
                "state",
                "State",
                incident.postmortem_state or "draft",
                [Choice(state, state.replace("_", " ")) for state in POSTMORTEM_STATES],
            ),
        ],
    )


def snooze_sheet(due: Sequence[UpdateDue], state: ConsoleState) -> AskScreen:
    """Ask which of the updates that are due to snooze, for how long, and why; the first due comes first."""
    choices = [
        Choice(one.clock, one.label, f"due {clock_text(one.due_at or state.now, state.now)}") for one in due
    ]
    return AskScreen(
        "Snooze an update",
        [
            *([Field("clock", "Which", choices[0].value, choices)] if len(choices) > 1 else []),
            Field("minutes", "For", "5", [Choice(m, f"{m} min") for m in SNOOZE_MIN]),
            Field("reason", "Reason", check=required("a reason")),
        ],
        intro=[f"The {due[0].label}."] if len(due) == 1 else (),
    )


WAYS: dict[str, tuple[str, ...]] = {
    "public": ("status page", "other"),
    "customer": ("mail", "in the app", "other"),
    "internal": ("incident channel", "mail", "other"),
}
"""By which ways an audience is told."""


def send_sheet(audience: str, label: str, passed: Sequence[str] = ()) -> AskScreen:
    """Ask by which way an update went out: nothing is chosen at first, because it says that it was sent.

    `passed` are times by which it promises the next word and which are over.
    """
    warned = [
        Content.styled(f"It promises word by {at}, which has passed.", "$warning bold") for at in passed
    ]
    ways = [Choice("", "– choose"), *(Choice(way, way) for way in WAYS.get(audience, ("other",)))]
    return AskScreen(
        f"Mark the {label} as sent",
        [Field("via", "It went out by", "", ways, check=lambda way: "" if way else "choose by which way")],
        intro=[*warned, Content("Sending is yours; this journals it and restarts its clock, and no other.")],
    )


def places_sheet(title: str, left: Sequence[str]) -> AskScreen:
    """Ask for what is still missing in a text, a field for each place: `place0` and so on."""
    return AskScreen(
        f"{title}: still to fill in",
        [
            Field(f"place{index}", place, check=required(place.strip("[]{}<>")))
            for index, place in enumerate(left)
        ],
        intro=["Nothing is sent with a place left empty. Write for people who do not know our words."],
    )


def merge_sheet(others: Iterable[Incident]) -> AskScreen:
    """Ask which incident this one is part of."""
    choices = [Choice(other.id, f"{other.severity} {other.title}", other.id) for other in others]
    return AskScreen("Merge into", [Field("into", "It is part of", choices[0].value, choices)])


def reason_sheet(title: str, label: str, default: str = "") -> AskScreen:
    """Ask for one line that must not be empty."""
    return AskScreen(title, [Field("reason", label, default, check=required("a reason"))])


CORRECTABLE: Mapping[str, Sequence[str]] = {
    "state": STATES,
    "severity": (),
    "role": ROLES,
    "level": (),
    "target": (),
    "person": (),
    "outcome": OUTCOMES,
    "via": (),
    "from": MEASURED_STATES,
    "to": MEASURED_STATES,
    "value": (),
    "owner": (),
    "due": (),
    "type": ACTION_TYPES,
    "impact": (),
    "text": (),
    "result": (),
    "evidence": (),
    "reason": (),
}
"""The fields of an entry that may be corrected, in the order they are asked for, each with its choices."""
WRITTEN_AT = "at"
"""The field for when an entry happened."""


def correct_sheet(entry: Event, incident: Incident, state: ConsoleState) -> AskScreen:
    """Ask what an entry should say, and when it happened; each field is filled in as it stands."""
    fields = [_correctable(name, entry, incident) for name in correctable(entry)]
    happened = clock_text(entry.occurred_at, state.now, seconds=True)
    fields.append(Field(WRITTEN_AT, "When", happened, hint="14:05 or 20m ago", check=check_time(state)))
    return AskScreen("Correct the entry", fields, intro=["The old words stay, struck through."])


def correctable(entry: Event) -> list[str]:
    """Return an entry's fields that may be corrected: those that it has, or its kind may have."""
    known = {name.rstrip("?") for name in KINDS.get(entry.kind, ())} | entry.data.keys()
    if entry.kind in ("ran", "queried", "sessions_ended"):
        known &= {"reason"}  # what was run, and what came of it, is the console's own word
    return [
        name
        for name in CORRECTABLE
        if name in known and isinstance(entry.data.get(name, ""), str | int | float)
    ]


def corrections(entry: Event, answers: Answers) -> dict[str, str | None]:
    """Return the fields that say something else now; None for one that was emptied."""
    return {
        name: answers[name].strip() or None
        for name in correctable(entry)
        if answers[name].strip() != str(entry.data.get(name, ""))
    }


def _correctable(name: str, entry: Event, incident: Incident) -> Field:
    value = str(entry.data.get(name, ""))
    choices = {
        "severity": tuple(incident.policy.severities),
        "level": tuple(level.id for level in incident.policy.levels),
    }.get(name, CORRECTABLE[name])
    if not choices:
        return Field(name, name.capitalize(), value)
    known = choices if value in choices else (value, *choices)
    return Field(name, name.capitalize(), value, [Choice(one, one or "–") for one in known])
