"""How far a step is: the one table of its states, each with its glyph, colour and word.

| State        | When                                                                              |
|--------------|-----------------------------------------------------------------------------------|
| `blocked`    | the runbook says that it must not be run                                          |
| `runs`       | it is under way here                                                              |
| `unexpected` | it came to its end, and its answer is not what the runbook expects                |
| `failed`     | it did not come to its end, or its answer is an error                             |
| `done`       | it came to its end with a good answer, or somebody marked it as done              |
| `skipped`    | somebody decided that it need not be done                                         |
| `open`       | none of these                                                                     |

What happened last counts: a run here over one in the journal, and a person's word over a run before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from textual.content import Content

from isla_console.incident.record.events import Event
from isla_console.incident.record.facts import StepRecord
from isla_console.runbook.model import Step
from isla_console.session.state import ConsoleState
from isla_console.steps.outcome import Outcome
from isla_console.ui.theme import MUTED, STYLES, ascii_only

STOPPED: Final = "stopped"
"""How the result of a run begins that a person stopped."""

StepState = Literal["open", "runs", "done", "failed", "unexpected", "skipped", "blocked"]


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state is drawn; `word` says it where there is room, "" where another word says it already."""

    glyph: str
    style: str
    word: str

    @property
    def ascii(self) -> str:
        """The glyph on a terminal without it."""
        return ascii_only(self.glyph)

    @property
    def content(self) -> Content:
        """The glyph in its colour."""
        return Content.styled(self.glyph, self.style)


MARKS: Final[dict[StepState, Mark]] = {
    "open": Mark("○", MUTED, "open"),
    "runs": Mark("▸", "$accent", "runs"),
    "done": Mark("✓", "$success", "done"),
    "failed": Mark("✗", STYLES["alert"], "failed"),
    "unexpected": Mark("◆", STYLES["alert"], "not as expected"),
    "skipped": Mark("»", MUTED, "skipped"),
    "blocked": Mark("–", MUTED, "blocked"),
}


def step_state(step: Step, state: ConsoleState) -> StepState:
    """Return how far a step is, in this console and in the incident."""
    if step.blocked:
        return "blocked"
    view = state.runs.get(step.id)
    if view is not None and view.outcome is None:
        return "runs"
    marked = state.incident.steps.get(step.id) if state.incident is not None else None
    ran = state.ran.get(step.id)
    if view is not None and view.outcome is not None and _is_last(view.outcome.started_at, marked):
        return outcome_state(view.outcome)
    if view is None and ran is not None and _is_last(ran.occurred_at, marked):
        return event_state(ran)
    if marked is None or marked.state not in {"done", "skipped"}:
        return "open"
    return "done" if marked.state == "done" else "skipped"


def _is_last(ran_at: datetime, marked: StepRecord | None) -> bool:
    return marked is None or marked.at < ran_at


def outcome_state(outcome: Outcome) -> StepState:
    """Return the state that a run's outcome makes."""
    return run_state(met=outcome.met, exit_code=outcome.exit_code, result=outcome.result)


def event_state(event: Event) -> StepState:
    """Return the state that a journalled run makes."""
    data = event.data
    return run_state(met=data.get("met"), exit_code=data.get("exit_code"), result=str(data.get("result", "")))


def run_state(*, met: object, exit_code: object, result: str) -> StepState:
    """Return the state of a run that has ended, by whether it met what was expected.

    One that a person stopped neither failed nor was it done.
    """
    if result.startswith(STOPPED):
        return "open"
    if met is False:
        return "unexpected"
    return "done" if met is True or exit_code == 0 else "failed"
