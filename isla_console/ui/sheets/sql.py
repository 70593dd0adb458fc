"""The sheets of the SQL and sessions pages: unlocking, values, export, ending sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from isla_console.runbook.model import Runbook
from isla_console.runbook.values import at
from isla_console.text.brief import brief
from isla_console.text.spans import age
from isla_console.ui.sheets.ask import AskScreen, Choice, Field, Problem, required
from isla_console.ui.theme import MUTED

if TYPE_CHECKING:
    from isla_console.sql.sessions import How, ServerSession


def unlock_sheet(role: str) -> AskScreen:
    """Ask why writing is needed."""
    return AskScreen(
        "Unlock writing for 5 minutes",
        intro=[
            f"Statements that change rows then run as {role}, each in a transaction that shows it",
            "and waits 60 s for commit or roll back. The reason is journalled.",
        ],
        fields=[Field("reason", "Why?", check=required("a reason"))],
    )


UNPROVEN = "unproven"
"""What is typed to run a statement that is not proven to read only."""


def unproven_sheet(sql: str, why: str) -> AskScreen:
    """Ask for a typed word before a statement runs of which nobody knows what it reaches."""
    return AskScreen(
        "Run it without proof that it only reads?",
        [Field("word", f"Type {UNPROVEN} to run it", check=_exactly(UNPROVEN))],
        intro=[
            f"Not proven: {why}.",
            "A view, a function or an operator in it may act, also in a read-only transaction.",
            Content.styled(brief(sql, 300), MUTED),
        ],
    )


def parameter_sheet(runbook: Runbook, names: Sequence[str], now: datetime) -> AskScreen:
    """Ask for the values of $1, $2 ... in a statement of the runbook or a typed one."""
    fields = []
    for number, name in enumerate(names, 1):
        known = runbook.inputs.get(name)
        fields.append(
            Field(
                name,
                f"${number} {known.title if known else ''}".rstrip(),
                at(known.type, known.default or "", now) if known else "",
                hint=(f"such as {known.example}" if known and known.example else ""),
            )
        )
    return AskScreen("Values for the statement", fields)


def days_sheet(runbook: Runbook, name: str, first: str, last: str) -> AskScreen:
    """Ask for the days of a change that is made one day at a time."""
    from isla_console.sql.days import days

    known = runbook.inputs.get(name)
    title = known.title if known is not None else name

    def check(answers: Mapping[str, str]) -> Problem | None:
        for field, last in (("first", ""), ("last", answers["last"])):
            try:
                days(answers["first"], last)
            except ValueError as error:
                return Problem(str(error), field)
        return None

    return AskScreen(
        "One day at a time",
        [
            Field("first", title, first, hint="such as 2026-11-23", check=required("a day")),
            Field("last", "To, itself included", last, hint="empty: that day alone"),
        ],
        intro=["Each day is looked at, run, shown and committed or rolled back on its own; X stops."],
        done=check,
    )


def export_sheet(folder: str) -> AskScreen:
    """Ask whether to export as CSV or JSON."""
    choices = [
        Choice("csv", "CSV", "NULL is \\N"),
        Choice("json", "JSON", "one object a row, numbers as numbers"),
    ]
    return AskScreen("Export all rows", [Field("kind", "As", "csv", choices)], intro=[f"Into {folder}"])


def end_sheet(session: ServerSession, how: How, blocked: int) -> AskScreen:
    """Show one session in full, and ask for its process number as a confirmation."""
    from isla_console.ui.views.sessions import session_lines

    word = "End this session" if how == "terminate" else "Cancel what this session runs"
    intro = session_lines(session)[:14]
    if blocked:
        intro.append(Content.styled(f"{blocked} sessions wait for it and go on.", "$success"))
    undo = "Undo: none; its transaction is rolled back and the client has to connect again."
    intro.append(
        Content.styled(undo if how == "terminate" else "Undo: none; the client sees an error.", MUTED)
    )
    pid = str(session.pid)
    return AskScreen(
        word,
        [Field("pid", f"Type {pid} to do it", check=_exactly(pid))],
        intro=intro,
    )


def end_group_sheet(name: str, idle: Sequence[ServerSession]) -> AskScreen:
    """Show the idle sessions of an application, and ask for their number as a confirmation."""
    many = str(len(idle))
    listed = [
        f"{one.pid}  idle {age(one.state_s or 0)}  {' '.join(one.query.split())[:60]}" for one in idle[:8]
    ]
    if len(idle) > 8:
        listed.append(f"and {len(idle) - 8} more")
    return AskScreen(
        f"End the idle sessions of {name}",
        [
            Field(
                "count",
                f"Type {many} to end them",
                check=lambda t: "" if t.strip() == many else f"it is {many}",
            )
        ],
        intro=[
            *listed,
            "",
            "One by one, each only if it is still the same and still idle. Pools connect again at once.",
        ],
    )


def _exactly(wanted: str) -> Callable[[str], str]:
    """Return a check that exactly `wanted` was typed."""
    return lambda typed: "" if typed.strip() == wanted else f"it is {wanted}"
