"""How far a step is, said by one table everywhere: glyph, colour and word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from isla_console.incident.record.facts import StepRecord
from isla_console.runbook.steps import Step
from isla_console.ui.theme import GLYPHS, ascii_only
from isla_console.ui.views.issue import ABSENT, SKIPPED
from isla_console.ui.views.marks import MARKS, StepState, run_state, step_state

T0 = datetime(2026, 11, 23, 14, tzinfo=UTC)
STEP = Step(id="a", title="A", kind="shell", effect="read", run="true")
BLOCKED = Step(id="a", title="A", kind="shell", effect="read", run="true", blocked="it lies")


def outcome(result: str, exit_code: int, met: bool | None = None, minute: int = 5) -> Any:
    at = T0 + timedelta(minutes=minute)
    return SimpleNamespace(result=result, exit_code=exit_code, met=met, started_at=at, ending="done")


def shown(
    step: Step = STEP,
    *,
    run: Any = None,
    runs: bool = False,
    ran: Any = None,
    marked: str = "",
    minute: int = 1,
) -> StepState:
    record = StepRecord("a", marked, T0 + timedelta(minutes=minute), "ana", "", "") if marked else None
    event = SimpleNamespace(data=ran, occurred_at=T0 + timedelta(minutes=5)) if ran is not None else None
    view = SimpleNamespace(outcome=None if runs else run) if runs or run is not None else None
    state = SimpleNamespace(
        runs={"a": view} if view is not None else {},
        ran={"a": event} if event is not None else {},
        incident=SimpleNamespace(steps={"a": record} if record is not None else {}),
    )
    return step_state(step, cast("Any", state))


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (shown(), "open"),
        (shown(BLOCKED, run=outcome("exit 0", 0)), "blocked"),
        (shown(runs=True), "runs"),
        (shown(run=outcome("exit 0", 0)), "done"),
        (shown(run=outcome("exit 1", 1)), "failed"),
        (shown(run=outcome("500", 1)), "failed"),
        (shown(run=outcome("404", 0, met=True)), "done"),
        (shown(run=outcome("429", 1, met=False)), "unexpected"),
        (shown(run=outcome("timed out after 20 s", 124)), "failed"),
        (shown(run=outcome("stopped", 143)), "open"),
        (shown(ran={"exit_code": 0}), "done"),
        (shown(ran={"exit_code": 1, "result": "exit 1"}), "failed"),
        (shown(ran={"exit_code": 1, "met": False}), "unexpected"),
        (shown(ran={"exit_code": 130, "result": "stopped"}), "open"),
        (shown(marked="done"), "done"),
        (shown(marked="skipped"), "skipped"),
        (shown(marked="undone"), "open"),
        # What happened last counts.
        (shown(run=outcome("exit 1", 1), marked="done", minute=1), "failed"),
        (shown(run=outcome("exit 1", 1), marked="done", minute=9), "done"),
        (shown(ran={"exit_code": 1}, marked="skipped", minute=9), "skipped"),
        (shown(run=outcome("exit 0", 0), marked="undone", minute=9), "open"),
        (shown(run=outcome("exit 0", 0), ran={"exit_code": 1}), "done"),
    ],
)
def test_the_state_of_a_step(state: StepState, wanted: StepState) -> None:
    assert state == wanted


def test_every_state_has_its_own_mark() -> None:
    """Also without colour, also in ASCII."""
    assert len({mark.glyph for mark in MARKS.values()}) == len(MARKS)
    assert len({mark.ascii for mark in MARKS.values()}) == len(MARKS)
    assert all(len(mark.ascii) == 1 and mark.ascii.isascii() for mark in MARKS.values())
    assert len({mark.word for mark in MARKS.values()}) == len(MARKS)
    assert (MARKS["failed"].glyph, MARKS["blocked"].glyph) == ("✗", "–")
    assert (MARKS["done"].glyph, MARKS["unexpected"].glyph) == ("✓", "◆")
    for other in (*(glyph for name, glyph in GLYPHS.items() if name != "unknown"), SKIPPED, ABSENT):
        assert len(ascii_only(other)) == 1
    assert ascii_only(MARKS["open"].glyph) != ascii_only(SKIPPED)


def test_only_done_is_green() -> None:
    assert [name for name, mark in MARKS.items() if "success" in mark.style] == ["done"]
    assert run_state(met=None, exit_code=None, result="") == "failed"
