"""The sheets of incident command: ladder, roles, impact, action items, updates, post-mortem."""

from __future__ import annotations

from collections.abc import Iterable

from isla_console.incident.record.kinds import ACTION_TYPES, POSTMORTEM_STATES, ROLES
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.escalation import ladder
from isla_console.session.state import ConsoleState
from isla_console.text.times import clock_text, read_time
from isla_console.ui.sheets.ask import Answers, AskScreen, Choice, Field, required

HOLD_MIN = ("5", "10", "15", "30")
SNOOZE_MIN = ("5", "10", "15")


def hold_sheet() -> AskScreen:
    """Ask how long to hold the ladder, and why."""
    return AskScreen(
        "Hold the ladder",
        [
            Field("minutes", "For", "10", [Choice(m, f"{m} min") for m in HOLD_MIN]),
            Field("reason", "Reason", check=required("a reason")),
        ],
    )


def ladder_sheet(state: ConsoleState, incident: Incident) -> AskScreen:
    """Ask which level was called, or is to be waived."""
    choices = [
        Choice(rung.level, rung.level, f"{rung.status} · {' + '.join(rung.targets)}")
        for rung in ladder(incident, state.now)
    ]
    current = next((rung.level for rung in ladder(incident, state.now) if rung.status == "current"), None)
    return AskScreen(
        "Ladder",
        [
            Field("level", "Level", current or choices[0].value, choices),
            Field(
                "act",
                "Do",
                "notify",
                [
                    Choice("notify", "called", "somebody was called for it"),
                    Choice("waive", "waive", "do not call it, with a reason"),
                ],
            ),
            Field("person", "Who was called", hint="a name; may stay empty"),
            Field("text", "How, or the reason", hint="phone, page, chat; a waiver needs its reason"),
        ],
        done=lambda a: "a waiver needs a reason" if a["act"] == "waive" and not a["text"].strip() else "",
    )


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

    def check(typed: str) -> str:
        try:
            read_time(typed, state.now)
        except ValueError as error:
            return str(error)
        return ""

    began = clock_text(incident.impact_started_at, state.now, seconds=True)
    return AskScreen(
        "Impact",
        [
            Field("impact", "What users experience", incident.impact),
            Field(
                "since",
                "It began",
                hint=f"empty keeps {began}; 14:05 or 20m ago",
                check=check,
            ),
            Field("reason", "Why another begin", hint="needed to move it"),
        ],
        done=lambda a: (
            "another begin needs a reason" if a["since"].strip() and not a["reason"].strip() else ""
        ),
    )


NEW_ACTION = "new"


def action_sheet(state: ConsoleState) -> AskScreen:
    """Ask for a new action item, or which one is done.

    The answer `which` is NEW_ACTION or the id of an open item; it is asked only if there is an open one.
    """
    known = state.incident.actions.values() if state.incident else ()
    left = [Choice(item.action, f"done: {item.text}", item.owner) for item in known if item.done_at is None]
    which = Field("which", "Action item", NEW_ACTION, [Choice(NEW_ACTION, "a new one"), *left])

    def check(answers: Answers) -> str:
        new = answers.get("which", NEW_ACTION) == NEW_ACTION
        return "what is to be done is needed" if new and not answers["text"].strip() else ""

    return AskScreen(
        "Action item",
        [
            *([which] if left else []),
            Field("text", "What is to be done"),
            Field("type", "It helps to", "prevent", [Choice(kind, kind) for kind in ACTION_TYPES]),
            Field("owner", "Owner", hint="may stay empty"),
            Field("due", "Due", hint="2026-12-01; may stay empty"),
        ],
        done=check,
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


def snooze_sheet(audience: str) -> AskScreen:
    """Ask for how long to snooze an update, and why."""
    return AskScreen(
        f"Snooze the {audience} update",
        [
            Field("minutes", "For", "5", [Choice(m, f"{m} min") for m in SNOOZE_MIN]),
            Field("reason", "Reason", check=required("a reason")),
        ],
    )


def send_sheet(audience: str, likely: str) -> AskScreen:
    """Ask how an update went out: by the status page, customers' mail or a channel."""
    ways = (
        [
            Choice("status page", "status page"),
            Choice("customer", "mail to customers"),
            Choice("other", "other"),
        ]
        if audience == "public"
        else [Choice("channel", "incident channel"), Choice("mail", "mail"), Choice("other", "other")]
    )
    return AskScreen(
        f"Mark the {audience} update as sent",
        [Field("via", "It went out by", likely or ways[0].value, ways)],
        intro=["Sending is yours; this journals it and restarts the clock."],
    )


def merge_sheet(others: Iterable[Incident]) -> AskScreen:
    """Ask which incident this one is part of."""
    choices = [Choice(other.id, f"{other.severity} {other.title}", other.id) for other in others]
    return AskScreen("Merge into", [Field("into", "It is part of", choices[0].value, choices)])


def reason_sheet(title: str, label: str, default: str = "") -> AskScreen:
    """Ask for one line that must not be empty."""
    return AskScreen(title, [Field("reason", label, default, check=required("a reason"))])


def text_sheet(title: str, label: str, default: str) -> AskScreen:
    """Ask for a corrected line."""
    return AskScreen(title, [Field("text", label, default, check=required("some text"))])
