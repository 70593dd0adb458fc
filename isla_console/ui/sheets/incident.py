"""The sheets that ask before something is journalled: their questions and choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual.content import Content

from isla_console.incident.commands.lifecycle import FORWARD
from isla_console.incident.record.policy import Policy
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.escalation import ladder
from isla_console.incident.rules.proposal import Proposal, propose
from isla_console.incident.rules.soak import soak
from isla_console.runbook.model import Severity
from isla_console.session.state import ConsoleState
from isla_console.text.times import read_time
from isla_console.ui.sheets.ask import AskScreen, Choice, Field, required
from isla_console.ui.theme import MUTED

NO_ISSUE = "none"
ENDING: dict[str, tuple[str, ...]] = {"monitoring": ("resolved",), "resolved": ("closed",)}
"""The usual next states of an incident that is ending."""


TROUBLES = (
    Choice("outage", "Outage", "everything is down"),
    Choice("data", "Data", "data is lost or at risk"),
    Choice("security", "Security", "a breach"),
    Choice("major", "A major feature", "many users, one thing broken"),
    Choice("minor", "A minor feature", "some users, one thing broken"),
    Choice("cosmetic", "Cosmetic", "looks wrong, works; or there is a way round"),
)
SHARES = (
    Choice("", "not known"),
    Choice("100", "everybody"),
    Choice("50", "more than 30 %"),
    Choice("30", "about 30 %"),
    Choice("10", "fewer than 30 %"),
)


def question_sheet(state: ConsoleState, issue_id: str | None, trouble: str = "major") -> AskScreen:
    """Ask at most three questions, and show the severity that they lead to."""
    issues = [Choice(issue.id, f"{issue.number} {issue.title}") for issue in state.runbook.issues]
    issues.append(Choice(NO_ISSUE, "– none of these"))

    def advise(answers: Mapping[str, str]) -> list[Content]:
        proposal = proposed(state, answers)
        return [
            Content.assemble(
                ("Proposed ", MUTED), (proposal.severity, "bold"), (f": {proposal.because}", MUTED)
            )
        ]

    return AskScreen(
        "Declare an incident",
        intro=[f"{state.incident.id} is open: this declares another."] if state.incident else (),
        fields=[
            Field("trouble", "What is it?", trouble, TROUBLES),
            Field("share", "Share of users?", "", SHARES),
            Field("issue", "Which issue?", issue_id or NO_ISSUE, issues),
        ],
        advise=advise,
    )


def proposed(state: ConsoleState, answers: Mapping[str, str]) -> Proposal:
    """Return the severity that the answers lead to."""
    share = float(answers["share"]) if answers["share"] else None
    return propose(state.runbook.severities, trouble=answers["trouble"], affected_percent=share)


def declare_sheet(state: ConsoleState, proposal: Proposal, title: str) -> AskScreen:
    """Ask to confirm or overrule the proposed severity, and for a title."""
    policy = Policy.from_dict(state.runbook.policy())

    def advise(answers: Mapping[str, str]) -> list[Content]:
        rule = policy.rule(answers["severity"])
        called = ", ".join(
            f"{level} at {minute:g} min"
            for level, minute in rule.ladder.items()
            if minute is not None and minute > 0
        )
        first = rule.first_update_min
        update = f"first update within {first:g} min" if first else "updates by hand"
        return [Content.styled(f"Then: {called or 'levels by hand'}; {update}.", MUTED)]

    severities = [Choice(item.id, f"{item.id} {item.name}", _rule(item)) for item in state.runbook.severities]
    return AskScreen(
        "Declare an incident",
        intro=[f"Proposed {proposal.severity}: {proposal.because}"],
        fields=[
            Field("severity", "Severity", proposal.severity, severities),
            Field("title", "Title", title, check=required("a title")),
            Field("impact", "Impact", hint="what users experience; may stay empty"),
            Field("since", "Since", hint="empty is now; 14:05 or 20m ago", check=_check_time(state)),
        ],
        advise=advise,
    )


def _check_time(state: ConsoleState) -> Callable[[str], str]:
    """Return a check for a field that takes a time; empty is fine."""

    def check(typed: str) -> str:
        try:
            read_time(typed, state.now)
        except ValueError as error:
            return str(error)
        return ""

    return check


def state_sheet(console_state: ConsoleState, incident: Incident) -> AskScreen:
    """Ask for the new state, the usual next ones first; those that need a reason say so."""
    states = ("investigating", "identified", "mitigating", "monitoring", "resolved", "closed", "cancelled")
    following: tuple[str, ...] = FORWARD.get(incident.state) or ENDING.get(incident.state, ())
    order = [*following, *(state for state in states if state not in following and state != incident.state)]
    checked = soak(incident, console_state.now, console_state.live_states)
    help_of = {
        "investigating": "we look for the cause",
        "identified": "the cause is known",
        "mitigating": "the fix is on its way",
        "monitoring": "fixed, we watch; the ladder pauses",
        "resolved": f"soak: {checked.sentence}",
        "closed": "checklist through, post-mortem owned",
        "cancelled": "it was no incident",
    }
    if not incident.is_active:
        help_of["investigating"] = "it is back; wants a reason"
    return AskScreen(
        f"State, now {incident.state}",
        [
            Field("state", "To", order[0], [Choice(state, state, help_of[state]) for state in order]),
            Field("reason", "Reason", "", hint="needed for a jump, to reopen, to cancel, to skip the soak"),
        ],
    )


def severity_sheet(state: ConsoleState, incident: Incident) -> AskScreen:
    """Ask for the new severity, each shown with its rules, and why."""
    choices = [
        Choice(item.id, f"{item.id} {item.name}", _rule(item))
        for item in state.runbook.severities
        if item.id != incident.severity
    ]
    return AskScreen(
        f"Severity, now {incident.severity}",
        [
            Field("severity", "To", choices[0].value, choices),
            Field("reason", "Reason", check=required("a reason")),
        ],
    )


def note_sheet(state: ConsoleState) -> AskScreen:
    """Ask for a line for the timeline, about now or an earlier time."""
    return AskScreen(
        "Note",
        [
            Field("text", "What happened, what you see, what was decided", check=required("some text")),
            Field(
                "kind",
                "It is",
                "note",
                [Choice("note", "a note"), Choice("decision", "a decision", "the report lists those")],
            ),
            Field("at", "When", "", hint="empty is now; 14:05 or 20m ago", check=_check_time(state)),
        ],
    )


EVERYONE = "*"
"""The answer for all who are called at a level."""


def acknowledge_sheet(state: ConsoleState, incident: Incident) -> AskScreen | None:
    """Ask who of those called answered, and by what name; None when no level is engaged.

    Those who have not answered yet come first, the highest level on top. The answer `for` is
    `level/target`, with EVERYONE for a whole level.
    """
    engaged = [rung for rung in reversed(ladder(incident, state.now)) if rung.is_engaged]
    if not engaged:
        return None
    waited, others = [], []
    for rung in engaged:
        for target in rung.waiting_for:
            waited.append(Choice(f"{rung.level}/{target}", f"{rung.level} {target}", "called, no answer yet"))
        if len(rung.waiting_for) > 1:
            waited.append(Choice(f"{rung.level}/{EVERYONE}", f"{rung.level} all of them", "nobody is nagged"))
        others += [
            Choice(f"{rung.level}/{target}", f"{rung.level} {target}")
            for target in rung.targets
            if target not in rung.waiting_for
        ]
    choices = [*waited, *others]
    return AskScreen(
        "Acknowledge",
        [
            Field("for", "Who answered", choices[0].value, choices),
            Field("person", "Their name", state.actor, check=required("a name")),
        ],
    )


def acknowledged_targets(incident: Incident, state: ConsoleState, answer: str) -> tuple[str, list[str]]:
    """Return the level and the targets that an answer of `acknowledge_sheet` is about."""
    level, _, target = answer.partition("/")
    if target != EVERYONE:
        return level, [target]
    waiting = [rung.waiting_for for rung in ladder(incident, state.now) if rung.level == level]
    return level, [name for names in waiting for name in names]


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


def resume_sheet(incidents: list[Incident]) -> AskScreen:
    """Ask which of several open incidents to work on."""
    choices = [
        Choice(incident.id, f"{incident.severity} {incident.title}", f"{incident.state} · {incident.id}")
        for incident in incidents
    ]
    return AskScreen("Several incidents are open", [Field("incident", "Work on", choices[0].value, choices)])


UNSAVED_SHOWN = 8
"""How many unsaved entries the question whether to leave names; the rest are counted."""


def quit_sheet(
    incident: Incident | None, running: Sequence[str] = (), unsaved: Sequence[str] = (), reason: str = ""
) -> AskScreen:
    """Ask whether to leave; with anything that runs or is not saved, staying is preselected."""
    going_on = f"{incident.id} goes on: the next launch is back in it. " if incident else ""
    leave = "stop what runs, and leave" if running else "leave"
    if unsaved:
        leave += ": they are printed, and kept in a file that the next start takes in"
    intro = [Content.styled(f"Still running: {', '.join(running)}", "$warning")] if running else []
    if unsaved:
        count = "1 entry is" if len(unsaved) == 1 else f"{len(unsaved)} entries are"
        intro.append(Content.styled(f"{count} NOT SAVED: {reason}", "$error bold"))
        intro += [Content(f"  {line}") for line in unsaved[:UNSAVED_SHOWN]]
        if len(unsaved) > UNSAVED_SHOWN:
            intro.append(Content(f"  and {len(unsaved) - UNSAVED_SHOWN} more"))
    return AskScreen(
        "Leave isla-console?",
        [
            Field(
                "leave",
                f"{going_on}Sure?",
                "no" if running or unsaved else "yes",
                [Choice("yes", leave), Choice("no", "stay")],
            )
        ],
        intro=intro,
    )


def _rule(severity: Severity) -> str:
    return ", ".join(severity.rule)
