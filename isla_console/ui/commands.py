"""The one registry of commands, from which bindings, footer, help and palette are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Group = Literal["Go", "Incident", "Clock and ladder", "Communication", "Page", "Console"]
Needs = Literal["", "incident", "drill", "replay"]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can do.

    `keys` are Textual's names of keys, separated by commas; `shown` is how the first is written. `help` is
    one sentence; `footer` is its order in the footer (0: not there); `needs` says when it is possible.
    """

    id: str
    keys: str
    shown: str
    title: str
    help: str
    group: Group
    needs: Needs = ""
    footer: int = 0


COMMANDS: tuple[Command, ...] = (
    Command("home", "h", "h", "overview", "What is true now, and what to do first.", "Go"),
    Command("go", "1,2,3,4,5,6,7,8,9", "1-9", "go", "Open that issue or procedure.", "Go", footer=9),
    Command("search", "slash", "/", "search", "Search the whole runbook, commands included.", "Go", footer=8),
    Command("contacts", "o", "o", "contacts", "Whom to call, for this severity and issue first.", "Go"),
    Command("timeline", "t", "t", "timeline", "Everything that happened, in order.", "Go"),
    Command("likeliest", "j", "j", "likeliest", "Open the issue that the evidence points to.", "Go"),
    Command("deployments", "D", "D", "deployments", "What went live and when, against what broke.", "Go"),
    Command("payments", "P", "P", "payments", "What failed at Stripe, and what was not delivered.", "Go"),
    Command("back", "b,backspace", "b", "back", "Return to the page you came from.", "Go"),
    Command(
        "sidebar", "left_square_bracket", "[", "issues", "Show or hide the list of issues.", "Page", footer=3
    ),
    Command(
        "ladder",
        "right_square_bracket",
        "]",
        "ladder",
        "Show or hide ladder and checklist.",
        "Page",
        footer=3,
    ),
    Command(
        "run",
        "x",
        "x",
        "run",
        "Do the step under the cursor; what changes things asks first.",
        "Page",
        footer=2,
    ),
    Command("stop", "X", "X", "stop", "End the step under the cursor, with all it started.", "Page"),
    Command("detail", "right", "→", "in full", "The row under the cursor in full.", "Page"),
    Command("copy", "y", "y", "copy", "Copy the step's command, or the address it opens.", "Page"),
    Command("reveal", "V", "V", "reveal", "Show a masked output for 10 s.", "Page"),
    Command("inputs", "", "", "inputs", "Change the values that the step under the cursor uses.", "Page"),
    Command("sql", "s", "s", "SQL", "Ask the database; change it only on purpose.", "Go"),
    Command("sessions", "a", "a", "sessions", "Who holds the database, and who waits for whom.", "Go"),
    Command("streams", "T", "T", "streams", "Streams that run: follow, pause, filter, stop.", "Go"),
    Command(
        "tick",
        "space",
        "space",
        "tick",
        "Mark as done or seen what the cursor is on; taking back asks.",
        "Page",
        footer=7,
    ),
    Command(
        "deny",
        "minus",
        "-",
        "not so",
        "A symptom is not seen, a step is skipped, an item does not apply.",
        "Page",
        "incident",
    ),
    Command(
        "declare",
        "d",
        "d",
        "declare",
        "Declare an incident: severity, title, issue.",
        "Incident",
        footer=2,
    ),
    Command("state", "m", "m", "state", "Move the incident to another state.", "Incident", "incident", 2),
    Command("choose", "J", "J", "this is it", "Make the open issue the incident's.", "Incident", "incident"),
    Command("severity", "v", "v", "severity", "Raise or lower the severity.", "Incident", "incident"),
    Command("note", "n", "n", "note", "Write a note into the timeline.", "Incident", "incident", 5),
    Command(
        "acknowledge",
        "k",
        "k",
        "ack",
        "Who is on it; who was called, and what came of it.",
        "Clock and ladder",
        "incident",
        4,
    ),
    Command(
        "escalate", "e", "e", "escalate", "Engage the next level now.", "Clock and ladder", "incident", 3
    ),
    Command("check", "r", "r", "re-check", "Run every probe once, now.", "Console"),
    Command("freeze", "z", "z", "freeze", "Hold the panels still; the clock never stops.", "Console"),
    Command("fault", "f", "f", "fault", "Switch the drill's fault on or off.", "Console", "drill", footer=6),
    Command(
        "communication",
        "c,u",
        "c",
        "tell people",
        "Write and send updates; the texts fill themselves.",
        "Go",
        "incident",
        4,
    ),
    Command("postmortem", "p", "p", "post-mortem", "The report as it writes itself.", "Go", "incident"),
    Command(
        "now", "w", "w", "what now?", "What is due next, and why, in one sentence.", "Incident", "incident", 6
    ),
    Command("impact", "i", "i", "impact", "What users experience, and since when.", "Incident", "incident"),
    Command("roles", "R", "R", "roles", "Take, offer, accept or release a role.", "Incident", "incident"),
    Command(
        "brief", "U", "U", "handoff", "All the next person needs, on one screen.", "Incident", "incident"
    ),
    Command(
        "action",
        "A",
        "A",
        "action item",
        "Add what keeps it fixed, or say it is done.",
        "Incident",
        "incident",
    ),
    Command("owner", "O", "O", "owner", "Who writes the post-mortem, how far it is.", "Incident", "incident"),
    Command(
        "channel", "C", "C", "channel", "Copy the name of the incident's channel.", "Incident", "incident"
    ),
    Command("merge", "", "", "merge", "This incident is part of another one.", "Incident", "incident"),
    Command(
        "correct",
        "E",
        "E",
        "correct",
        "Correct the timeline entry under the cursor; the old one stays.",
        "Page",
        "incident",
    ),
    Command(
        "filter", "F", "F", "filter", "Show one kind of timeline entry after the other.", "Page", "incident"
    ),
    Command(
        "hold",
        "H",
        "H",
        "hold",
        "Hold the ladder up to 30 min, or ask to end the hold.",
        "Clock and ladder",
        "incident",
    ),
    Command(
        "levels",
        "l",
        "l",
        "waive",
        "A level need not be called, for a reason.",
        "Clock and ladder",
        "incident",
    ),
    Command("snooze", "N", "N", "snooze", "Ring for an update later, once.", "Clock and ladder", "incident"),
    Command("reload", "L", "L", "reload", "Read the runbook again, if it was edited.", "Console"),
    Command("redraw", "ctrl+l", "^l", "redraw", "Paint the whole screen again.", "Console"),
    Command(
        "drill", "B", "B", "briefing", "The drill: what it is about, hints, the score.", "Go", "drill", 4
    ),
    Command("pause", "", "space", "pause", "The replay stands still, or goes on.", "Console", "replay", 2),
    Command("faster", "plus", "+", "faster", "The replay runs quicker.", "Console", "replay", 2),
    Command("slower", "", "-", "slower", "The replay runs slower.", "Console", "replay", 2),
    Command("theme", "", "", "theme", "Dark or light.", "Console"),
    Command("mouse", "", "", "mouse", "Give the mouse to the terminal, or take it.", "Console"),
    Command(
        "help",
        "question_mark,f1",
        "?",
        "help",
        "The keys of this page, and what they do on it.",
        "Console",
        footer=1,
    ),
    Command("palette", "ctrl+p", "^p", "palette", "All commands, by name.", "Console", footer=10),
    Command("quit", "q", "q", "quit", "Leave; an open incident goes on.", "Console"),
)
LOOKING = frozenset(
    (
        *("home", "go", "search", "contacts", "timeline", "back", "sidebar", "ladder", "detail", "filter"),
        *("communication", "postmortem", "now", "brief", "likeliest"),
        *("pause", "faster", "slower"),
        *("theme", "mouse", "redraw", "help", "palette", "quit"),
    )
)
"""Commands that change nothing: those that a replay has."""
REPLAY_KEYS = {"space": "pause", "minus": "slower"}
"""Keys that have another command in a replay, where their usual one is not possible."""

REPLAY_ROWS = frozenset(
    (
        *("goto", "look", "command"),
        *("deployment", "vendor", "payment", "endpoint", "subscription", "differences"),
    )
)
"""Kinds of row whose Enter opens or shows something, or carries out a command, which is checked by itself."""
NO_INCIDENT = "no incident: d declares one"
"""Why a command that needs an incident is not possible."""
REPLAY = "this is a replay: nothing is done"
"""Why nothing can be begun in a replay."""

BY_ID = {command.id: command for command in COMMANDS}


def bindings() -> list[BindingType]:
    """Return Textual's bindings for the whole registry; each calls `action_command` with its id and key."""
    return [
        Binding(key, f"command('{command.id}', '{key}')", command.title, id=f"{command.id}.{key}", show=False)
        for command in COMMANDS
        for key in command.keys.split(",")
        if key
    ]
