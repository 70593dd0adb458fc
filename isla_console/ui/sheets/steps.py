"""The sheets of doing a step: the values that it needs, its result by hand, why it is not done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from isla_console.runbook.steps import Step
from isla_console.session.confirm import Refusal
from isla_console.session.questions import Question
from isla_console.steps.guard import Judgement
from isla_console.steps.inputs import problem, typed
from isla_console.steps.rows import cell
from isla_console.text.plain import plain
from isla_console.ui.sheets.ask import AskScreen, Choice, Field
from isla_console.ui.theme import MUTED
from isla_console.ui.views.runs import table_lines


def refused_lines(step: Step, why: Judgement | Refusal) -> list[Content]:
    """Return why a step is not run, and the command line to copy if there is one."""
    if isinstance(why, Refusal):
        return [Content.styled(why.reason, "$error")]
    lines = [Content.styled(why.refused, "$warning")]
    if why.reasons:
        lines += [Content(""), Content.styled("Seen in it: " + "; ".join(why.reasons), MUTED)]
    if step.cli:
        lines += [
            Content(""),
            Content.styled("The vendor's command line; y on the step copies it:", MUTED),
            Content(step.cli),
        ]
    return lines


def manual_sheet(step: Step) -> AskScreen:
    """Ask for the result of a person's own work."""
    return AskScreen(
        step.title,
        [Field("result", "Result", hint="one line, may stay empty")],
        intro=[Content.styled(step.text or "", MUTED)],
    )


def inputs_sheet(step: Step, asked: Sequence[Question], now: datetime) -> AskScreen:
    """Ask each question in a field; the answer is what was typed, or which row was picked."""
    fields = [_row_field(one, now) if one.rows else _typed_field(one, now) for one in asked]
    intro = [Content.styled(f"“{step.title}” needs to know:", MUTED)]
    return AskScreen("Values", fields, intro=intro)


def _row_field(question: Question, now: datetime) -> Field:
    item, known = question.input, question.known
    assert item.pick is not None
    column = item.pick.column
    choices = []
    default = "0"
    for index, row in enumerate(question.rows):
        value = cell(row.get(column))
        if known is not None and not item.is_secret and known.shown == value:
            default = str(index)
        others = {name: one for name, one in row.items() if name != column and one is not None}
        line = table_lines([others], 70, now, most=1, widest=26)
        choices.append(Choice(str(index), plain(value), line[-1].plain.rstrip() if others else ""))
    return Field(item.name, item.title, default, choices, hint="pick one")


def _typed_field(question: Question, now: datetime) -> Field:
    item, known = question.input, question.known
    hints = [
        f"from {known.origin}" if known is not None else "",
        f"for example {item.example}" if item.example else "",
        f"or set {item.env}" if item.env else "",
    ]
    secret = item.is_secret
    return Field(
        item.name,
        item.title,
        "" if known is None or secret else known.shown,
        hint=", ".join(hint for hint in hints if hint),
        check=lambda text: problem(item, typed(item, text, now)),
        secret=secret,
    )
