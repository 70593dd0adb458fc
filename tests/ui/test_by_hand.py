"""Work that a person does elsewhere: guarded like any other where it changes something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from isla_console.ui.main.screen import MainScreen
from isla_console.ui.sheets.ask import AskScreen
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.sheets.guard import GuardScreen
from isla_console.ui.shell import Shell
from isla_console.ui.widgets.rows import RowList
from tests.support.frozen import frozen_app
from tests.support.pilot import settle


async def at_step(app: Shell, pilot: Pilot[int], id: str, page: str = "3") -> None:
    """In an incident, with the cursor on a step of an issue's page."""
    await settle(pilot)
    await pilot.press(page, "d")
    await settle(pilot)
    await pilot.press("enter", "enter", "home", "enter", "f2")
    await settle(pilot)
    await pilot.press(page)
    await settle(pilot)
    assert app.main.query_one("#page", RowList).go(f"step:{id}")


def state_of(app: Shell, id: str) -> str | None:
    incident: Any = app.program.session.incident
    return incident.steps[id].state if id in incident.steps else None


async def test_enter_shows_what_it_would_change(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await at_step(app, pilot, "auth-redis")
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, DetailScreen)
        said = "\n".join(line.plain for line in app.screen._lines)
        assert "destroy" in said
        assert "Everyone it held signs in again" in said
        await pilot.press("escape")
        assert state_of(app, "auth-redis") is None


async def test_it_is_confirmed_before_its_result_is_asked_for(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await at_step(app, pilot, "auth-redis")
        await pilot.press("x")
        await settle(pilot)
        assert isinstance(app.screen, GuardScreen)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, MainScreen)
        assert state_of(app, "auth-redis") is None
        await pilot.press("x")
        await settle(pilot)
        await pilot.press(*"auth-redis", "enter", "enter")
        await settle(pilot)
        assert isinstance(app.screen, AskScreen)
        await pilot.press(*"flushed", "f2")
        await settle(pilot)
        assert state_of(app, "auth-redis") == "done"


async def test_looking_by_hand_asks_at_once(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await at_step(app, pilot, "auth-quota")
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, AskScreen)
