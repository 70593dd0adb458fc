"""What the screens say of the runbook itself: its purpose, its review, and contacts that nobody filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from isla_console.resources import resource
from isla_console.runbook import deep
from isla_console.runbook.load import Finding, Loaded, load_runbook
from isla_console.session import session as sessions
from isla_console.session.session import Session
from isla_console.session.state import ConsoleState
from isla_console.settings.resolve import Settings
from isla_console.steps.rows import NULL
from isla_console.ui.views.contacts import contact_lines, contact_rows
from isla_console.ui.views.runbook import runbook_rows
from isla_console.ui.views.runs import table_lines
from tests.support.frozen import NOW, Moment
from tests.support.runbook import runbook_with, shell

SHIPPED = load_runbook(resource("runbook.yaml")).runbook


def state(**changes: Any) -> ConsoleState:
    """A state with as much as these views look at, and a runbook with these fields."""
    runbook = SHIPPED.model_copy(update=changes)
    parts = SimpleNamespace(runbook=runbook, now=NOW, findings=(), missing=(), incident=None)
    return cast("ConsoleState", parts)


def text(**changes: Any) -> str:
    return "\n".join(row.content.plain for row in runbook_rows(state(**changes), 140))


def test_purpose_and_review_stand_there() -> None:
    assert SHIPPED.purpose in text().replace("\n ", " ")
    assert "Review: Quarterly · the next one has no date" in text()


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (date(2026, 11, 23), "Review: Quarterly · next on 2026-11-23"),
        (date(2026, 11, 22), "Review: Quarterly · overdue since 2026-11-22, 1 day"),
        (date(2026, 1, 22), "Review: Quarterly · overdue since 2026-01-22, 305 days"),
    ],
)
def test_an_overdue_review_is_said(due: date, said: str) -> None:
    assert f" {said}" in text(next_review=due).splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_nothing_is_wider_than_the_page(width: int) -> None:
    assert all(row.content.cell_length <= width for row in runbook_rows(state(), width))


def test_a_contact_that_nobody_filled_in_says_so() -> None:
    rows = [row.content.plain for row in contact_rows(state(), None, 100)]
    assert any(row.startswith(" CTO ") and "nobody filled in" in row for row in rows)
    [cto] = SHIPPED.contacts_of("CTO")
    assert "Reach   not known: the original runbook names nobody" in [one.plain for one in contact_lines(cto)]


def test_rows_of_nulls_are_drawn() -> None:
    lines = [line.plain.split() for line in table_lines([{"id": None, "at": None}], 60, NOW, most=8)]
    assert lines == [["id", "at"], [NULL, NULL]]
    lines = [line.plain.split() for line in table_lines([{"id": "a", "at": None}], 60, NOW, most=8)]
    assert lines == [["id"], ["a"]]


async def test_scripts_are_looked_at_behind_the_first_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "DEEPER_AFTER_S", 0.0)
    file = runbook_with(tmp_path, shell("a", "if then"))
    settings = Settings.load({"HOME": str(tmp_path), "ISLA_RUNBOOK": str(file)})
    session = Session(settings, Moment().clock)
    await session.load_runbook()
    assert session.loaded is not None
    before = session.loaded
    assert not any("bash cannot read" in one.problem for one in before.findings)
    await session.look_deeper()
    assert [one.problem for one in session.loaded.findings if "bash cannot read" in one.problem]

    # What was read anew meanwhile is not overwritten by what was found in the old one.
    anew = replace(before)

    def find(loaded: Loaded) -> tuple[Finding, ...]:
        session.loaded = anew
        return before.findings

    monkeypatch.setattr(deep, "deep_findings", find)
    await session.look_deeper()
    assert session.loaded is anew
