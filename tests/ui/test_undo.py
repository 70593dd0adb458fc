"""After a rollback: its undo is offered on the page and done from it; and what `y` copies of a step."""

import json
import re
from pathlib import Path

import pytest
from textual.widgets import Input

from isla_console.ui.sheets.guard import GuardScreen
from isla_console.ui.shell import Shell
from isla_console.ui.terminal import clipboard
from isla_console.ui.widgets.rows import RowList
from tests.support.frozen import OUTAGE, frozen_app
from tests.support.pilot import settle
from tests.support.runbook import shell
from tests.ui.test_steps import app_with, at, ended, screen_text, until
from tests.ui.test_steps_pictures import app as app
from tests.ui.test_steps_pictures import to_the_guard

WAS, TARGET = "dpl_8xK2", "dpl_5pQ9"


async def test_undo_is_offered_and_done(app: Shell) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await to_the_guard(app)(pilot)
        await pilot.press("9", "enter", *"slow", "enter")
        await ended(app, "redirect-rollback")
        await settle(pilot)
        undo = app.program.steps.step_services.undo["redirect-rollback"]
        assert undo.title.startswith(f"Undo: promote {WAS}")
        rows = app.main.query_one("#page", RowList)
        assert rows.go("undo:redirect-rollback")
        await pilot.pause()
        assert "x: do it" in screen_text(app)
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, GuardScreen))
        await settle(pilot)
        shown = screen_text(app)
        assert f"Undo: promote {WAS}" in shown
        assert "destroy" in shown
        assert "Type it. Deployment to promote:" in shown
        assert re.search(rf"from +{TARGET}.* made ", shown)
        assert re.search(rf"to +{WAS}", shown)
        for typed in ("", f"{TARGET}sLhYd3KxEiBnTz6Wu1Fv"):
            await pilot.press(*typed, "enter")
            await pilot.pause()
            assert isinstance(app.screen, GuardScreen), "the deployment was not typed, nothing is done"
        app.screen.query_one("#object", Input).value = ""
        await pilot.press(*f"{WAS}qWvTn4RzYbLmJc7Hs9Dp", "enter", *"worse", "enter")
        await ended(app, f"{undo.id}")
        await settle(pilot)
        assert app.program.session.incident is not None
        ran = [event.data for event in app.program.session.incident.timeline if event.kind == "ran"]
        assert ran[-1]["step"] == "redirect-rollback.undo"
        assert (ran[-1]["effect"], ran[-1]["reason"], ran[-1]["exit_code"]) == ("destroy", "worse", 0)
        said = [
            event.data["text"] for event in app.program.session.incident.timeline if event.kind == "noted"
        ]
        assert any(WAS in text and "serves production" in text for text in said)
        assert "redirect-rollback" not in app.program.steps.step_services.undo
        assert not rows.go("undo:redirect-rollback")


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was put on the clipboard."""
    found: list[str] = []
    real = clipboard.copy

    async def copy(app: Shell, text: str, folder: Path) -> object:
        found.append(text)
        return await real(app, text, folder)

    monkeypatch.setattr("isla_console.ui.controllers.steps.copy", copy)
    return found


async def test_copy_a_step(tmp_path: Path, copied: list[str]) -> None:
    """The vendor's line where there is one, else the command with its values; never a secret."""
    steps = shell("greet", 'echo "hello $WHO"; echo "$KEY"') + (
        "      - id: ask\n        title: Step ask\n        kind: http\n        effect: read\n"
        '        http: {url: "https://api.example.com/v1/x", query: {key: "${KEY}", who: "${WHO}"}}\n'
    )
    app = app_with(tmp_path, steps)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        app.program.steps.step_services.inputs.remember("WHO", "ben", "typed")
        app.program.steps.step_services.inputs.remember("KEY", "hunter2hunter2", "typed")
        for step in ("greet", "ask", "redirect-rollback"):
            await at(app, pilot, step)
            await pilot.press("y")
            await settle(pilot)
    shown, asked, vendor = copied
    assert shown.startswith('echo "hello $WHO"; echo "$KEY"')
    assert "WHO=ben" in shown
    assert asked.startswith("GET https://api.example.com/v1/x?")
    assert "who=ben" in asked
    assert vendor == 'vercel rollback "$ROLLBACK_TO" --timeout 3m'
    assert "hunter2" not in json.dumps(copied)


async def test_copy_where_there_is_no_step(tmp_path: Path, copied: list[str]) -> None:
    app = frozen_app(tmp_path, OUTAGE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        rows = app.main.query_one("#page", RowList)
        app.main.set_focus(rows)
        await pilot.press("1", "home", "y")
        await settle(pilot)
        assert app.notice is not None
        assert app.notice.text == "The cursor is not on a step."
        assert not copied
