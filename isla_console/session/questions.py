"""What is asked before a step: values to type, and rows of earlier answers to pick values from."""

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
    """One value to type; or, where there are rows, one row to pick for every input that it has."""

    inputs: tuple[Input, ...]
    """One, or those that are columns of the same step's rows; the first one names the question."""
    rows: tuple[Row, ...]
    """What to pick from; empty where the value is typed. Each has all the inputs' columns."""
    known: Value | None
    """The first input's value so far."""

    @property
    def input(self) -> Input:
        """The input that the question is named after."""
        return self.inputs[0]


def questions(wanted: Sequence[Input], services: StepServices, now: datetime) -> tuple[Question, ...]:
    """One question an input; inputs that are columns of one step's rows are picked together, as a row."""
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
        answers: by the name of the question's first input, what was typed, or which row, counted from 0.
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
    """The wanted inputs that the same step's rows have, the one asked about first; none without rows."""
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
    """The rows that have a value for each of the inputs, which are columns of one step's rows."""
    picks = [item.pick for item in inputs if item.pick is not None]
    if not picks:
        return ()
    rows = services.rows(picks[0].step)
    return tuple(row for row in rows if all(row.get(pick.column) is not None for pick in picks))
