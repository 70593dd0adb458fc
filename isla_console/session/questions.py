"""The questions before a step: values to type, and rows of earlier answers to pick values from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from isla_console.runbook.steps import Input
from isla_console.session.steps import StepServices
from isla_console.steps.inputs import Value, typed
from isla_console.steps.rows import Row


@dataclass(frozen=True, slots=True)
class Question:
    """One value to type, or one row to pick, which answers for every input that is a column of it."""

    inputs: tuple[Input, ...]
    """One input, or those that are columns of the same step's rows; the first one names the question."""
    rows: tuple[Row, ...]
    """The rows to pick from, each with all the inputs' columns; empty where the value is typed."""
    known: Value | None
    """The first input's value so far."""

    @property
    def input(self) -> Input:
        """The input that names the question."""
        return self.inputs[0]


def questions(wanted: Sequence[Input], services: StepServices, now: datetime) -> tuple[Question, ...]:
    """Return a question for each input; those that are columns of the same step's rows share one."""
    found: list[Question] = []
    for item in wanted:
        if any(item in question.inputs for question in found):
            continue
        together = _picked_with(item, wanted, services)
        rows = _rows_with(together, services)
        found.append(
            Question(together if rows else (item,), rows, known=services.inputs.find(item.name, now))
        )
    return tuple(found)


def remember(
    asked: Sequence[Question], answers: Mapping[str, str], services: StepServices, now: datetime
) -> None:
    """Keep the answers for this incident.

    Args:
        asked: The questions.
        answers: By the name of a question's first input: what was typed, or which row, counted from 0.
        services: Where they are kept.
        now: Aware UTC.
    """
    for question in asked:
        answer = answers[question.input.name]
        for item in question.inputs:
            if question.rows and item.pick is not None:
                text = str(question.rows[int(answer)][item.pick.column])
                services.inputs.remember(item.name, text, f"picked from {item.pick.step}")
            else:
                services.inputs.remember(item.name, typed(item, answer, now), "typed")


def _picked_with(item: Input, wanted: Sequence[Input], services: StepServices) -> tuple[Input, ...]:
    """Return the wanted inputs that the same step's rows have, `item` first; empty without rows."""
    if item.pick is None or not services.choices(item):
        return ()
    step = item.pick.step
    others = (
        one
        for one in wanted
        if one != item and one.pick is not None and one.pick.step == step and services.choices(one)
    )
    return (item, *others)


def _rows_with(inputs: Sequence[Input], services: StepServices) -> tuple[Row, ...]:
    """Return the rows that have a value for each of the inputs, which are columns of one step's rows."""
    picks = [item.pick for item in inputs if item.pick is not None]
    if not picks:
        return ()
    rows = services.rows(picks[0].step)
    return tuple(row for row in rows if all(row.get(pick.column) is not None for pick in picks))
