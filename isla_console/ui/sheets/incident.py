"""The sheets that ask before something is journalled: their questions and choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from textual.content import Content

from isla_console.incident.commands.lifecycle import FORWARD
from isla_console.incident.record.facts import FirstSeen
from isla_console.incident.record.policy import Policy
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.evidence import unsent
from isla_console.incident.rules.proposal import Proposal, propose
from isla_console.incident.rules.soak import soak
from isla_console.runbook.model import Severity
from isla_console.session.state import ConsoleState
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text
from isla_console.ui.sheets.ask import AskScreen, Choice, Field, required
from isla_console.ui.sheets.ladder import check_time
from isla_console.ui.theme import MUTED

NO_ISSUE = "none"
AGAINST = 5
"""How many lines of what speaks against a claim are shown; the record keeps more."""
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


def declare_sheet(
    state: ConsoleState, proposal: Proposal, title: str, first: FirstSeen | None = None
) -> AskScreen:
    """Ask to confirm or overrule the proposed severity, for a title, and since when it lasts.

    That is filled in with `first`, the first alert that the console saw.
    """
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
            Field(
                "since",
                "Since",
                clock_text(first.at, seconds=True) if first else "",
                hint=f"{_seen_text(state, first)}empty is now; 14:05 or 20m ago",
                check=check_time(state),
            ),
        ],
        advise=advise,
    )


def _seen_text(state: ConsoleState, first: FirstSeen | None) -> str:
    if first is None:
        return ""
    name = state.runbook.names().get(first.kind, {}).get(first.name, first.name)
    return f"first alert seen here: {name}; "


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

    def advise(answers: Mapping[str, str]) -> list[Content]:
        against: dict[str, tuple[str, ...]] = {
            "resolved": () if checked.is_green else checked.blockers or (checked.sentence,),
            "closed": unsent(incident, console_state.now),
        }
        return _against_lines(against.get(answers["state"], ()), "needs a reason")

    return AskScreen(
        f"State, now {incident.state}",
        [
            Field("state", "To", order[0], [Choice(state, state, help_of[state]) for state in order]),
            Field("reason", "Reason", "", hint="needed for a jump, to reopen, to cancel, to skip the soak"),
        ],
        advise=advise,
    )


def overrule_sheet(claim: str, against: Sequence[str]) -> AskScreen:
    """Show what speaks against a claim, and ask why it is made all the same."""
    return AskScreen(
        f"“{claim}”",
        [Field("reason", "It is so all the same, because", check=required("a reason"))],
        intro=_against_lines(against, "a reason overrules it, and the report says so"),
    )


def _against_lines(against: Sequence[str], then: str) -> list[Content]:
    """Draw what speaks against a claim, the first lines of it."""
    if not against:
        return []
    shown = [Content.styled(f"Against it: {line}", "$warning") for line in against[:AGAINST]]
    more = f"and {len(against) - AGAINST} more; " if len(against) > AGAINST else ""
    return [*shown, Content.styled(f"{more}{then}", MUTED)]


def take_back_sheet(what: str, by: str, at: datetime | None, state: ConsoleState) -> AskScreen:
    """Ask whether to take back what somebody did, which is not the default."""
    when = f" at {clock_text(at, state.now, seconds=True)}" if at is not None else ""
    return AskScreen(
        "Take it back?",
        [Field("back", what, "no", [Choice("no", "leave it as it is"), Choice("yes", "open it again")])],
        intro=[f"{by} did it{when}."],
    )


def join_sheet(other: Incident, state: ConsoleState, *, declared: bool) -> AskScreen:
    """Offer to join an incident of the same issue; `declared` says that this console has declared one too.

    Nothing is chosen at first: the sheet may open while a person types.
    """
    ago = span_text(state.now - other.declared_at)
    join = "yours is merged into it" if declared else "work on it with them"
    keep = Choice("keep", "keep both") if declared else Choice("keep", "declare another")
    return AskScreen(
        "The same issue was declared already",
        [
            Field(
                "join",
                "What now?",
                "",
                [Choice("", "– choose"), Choice("join", "join it", join), keep],
                check=lambda answer: "" if answer else "choose one",
            )
        ],
        intro=[f"{other.declared_by} declared {other.severity} {other.title} {ago} ago: {other.id}"],
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
            Field("at", "When", "", hint="empty is now; 14:05 or 20m ago", check=check_time(state)),
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
    incident: Incident | None,
    running: Sequence[str] = (),
    unsaved: Sequence[str] = (),
    reason: str = "",
    *,
    drill: bool = False,
) -> AskScreen:
    """Ask whether to leave; with anything that runs or is not saved, staying is preselected."""
    future = "ends with the drill" if drill else "goes on: the next launch is back in it"
    going_on = f"{incident.id} {future}. " if incident else ""
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
