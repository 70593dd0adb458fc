"""The sheets of the escalation ladder: who was called, who is on it, and what moves the ladder."""

from __future__ import annotations

from collections.abc import Callable

from isla_console.incident.record.facts import Hold
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.escalation import Rung, Target, ladder, target_text
from isla_console.session.state import ConsoleState
from isla_console.text.times import clock_text, read_time
from isla_console.ui.sheets.ask import AskScreen, Choice, Field, required

HOLD_MIN = ("5", "10", "15", "30")
SOMEBODY_ELSE = "*"
"""The target of an answer that is about nobody whom the level names."""
UNSAID = ""
"""The answer of a question that nobody answered yet: no default says that something happened."""
ACTS = (
    Choice(UNSAID, "– choose", "nothing is said yet"),
    Choice("self", "I am on it", "for yourself"),
    Choice("other", "they are on it", "somebody else said so"),
    Choice("on_it", "I called: is on it", "they answered and took it"),
    Choice("answered", "I called: answered", "reached, but is not on it"),
    Choice("message", "I called: message", "left one"),
    Choice("no_answer", "I called: no answer"),
)
WAYS = (
    Choice(UNSAID, "– choose", "not needed for yourself"),
    *(Choice(way, way) for way in ("phone", "page", "chat", "mail", "in person")),
)


def answer_sheet(state: ConsoleState, incident: Incident) -> AskScreen | None:
    """Ask what is known of one of those called: who, by which way, when; None when no level is engaged.

    Those of whom nobody said that they are on it come first, the highest level on top. The answer `for` is
    `level/target`, with SOMEBODY_ELSE for one whom the level does not name.
    """
    engaged = [rung for rung in reversed(ladder(incident, state.now)) if rung.is_engaged]
    if not engaged:
        return None
    every = [(rung, target) for rung in engaged for target in rung.whom]
    choices = [
        *(_target(rung, target, state) for rung, target in every if target.state != "on_it"),
        *(Choice(f"{rung.level}/{SOMEBODY_ELSE}", f"{rung.level} somebody else") for rung in engaged[:1]),
        *(_target(rung, target, state) for rung, target in every if target.state == "on_it"),
    ]
    return AskScreen(
        "Who is on it, who was called",
        [
            Field("for", "For whom", choices[0].value, choices),
            Field("act", "What happened", UNSAID, ACTS, check=_chosen("what happened")),
            Field("person", "Their name", hint="not needed for yourself, or if nobody answered"),
            Field("via", "By which way", UNSAID, WAYS),
            Field("at", "When", hint="empty is now; 14:05 or 20m ago", check=check_time(state)),
        ],
    )


def _target(rung: Rung, target: Target, state: ConsoleState) -> Choice:
    said = target_text(target, state.now).removeprefix(f"{target.target}: ")
    return Choice(f"{rung.level}/{target.target}", f"{rung.level} {target.target}", said)


def waive_sheet(state: ConsoleState, incident: Incident) -> AskScreen | None:
    """Ask which level need not be called, and why; None when all are waived."""
    rungs = [rung for rung in ladder(incident, state.now) if rung.status != "waived"]
    if not rungs:
        return None
    choices = [
        Choice(rung.level, rung.level, f"{rung.status} · {' + '.join(rung.targets)}") for rung in rungs
    ]
    current = next((rung.level for rung in rungs if rung.status == "current"), None)
    return AskScreen(
        "A level need not be called",
        [
            Field("level", "Level", current or choices[0].value, choices),
            Field("reason", "Reason", check=required("a reason")),
        ],
    )


def escalate_sheet(state: ConsoleState, incident: Incident) -> AskScreen | None:
    """Ask which level to engage now; None when all are engaged."""
    rest = [rung for rung in ladder(incident, state.now) if not rung.is_engaged]
    if not rest:
        return None
    choices = [Choice(rung.level, rung.level, " + ".join(rung.targets)) for rung in rest]
    return AskScreen(
        "Escalate now",
        [
            Field("level", "Engage", choices[0].value, choices),
            Field("reason", "Reason", hint="may stay empty"),
        ],
    )


def hold_sheet() -> AskScreen:
    """Ask how long to hold the ladder, and why."""
    return AskScreen(
        "Hold the ladder",
        [
            Field("minutes", "For", "10", [Choice(m, f"{m} min") for m in HOLD_MIN]),
            Field("reason", "Reason", check=required("a reason")),
        ],
    )


def end_hold_sheet(hold: Hold, state: ConsoleState) -> AskScreen:
    """Ask whether to end a hold, which may be another person's."""
    return AskScreen(
        "End the hold?",
        [
            Field(
                "end",
                "The escalation clock",
                "no",
                [Choice("no", "stays on hold"), Choice("yes", "runs again")],
            )
        ],
        intro=[f"{hold.by} holds it until {clock_text(hold.until, state.now)}: {hold.reason}"],
    )


def check_time(state: ConsoleState) -> Callable[[str], str]:
    """Return a check for a field that takes a time; empty is fine."""

    def check(typed: str) -> str:
        try:
            read_time(typed, state.now)
        except ValueError as error:
            return str(error)
        return ""

    return check


def _chosen(what: str) -> Callable[[str], str]:
    """Return a check for a list in which nothing is chosen at first."""
    return lambda answer: "" if answer != UNSAID else f"choose {what}"
