"""A replay can begin nothing and journal nothing, whatever key is pressed and whatever row is entered."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from string import ascii_letters, digits
from typing import Any, get_args

import pytest
from textual.app import App
from textual.screen import ModalScreen

from isla_console.session.replay import Replay, ReplaySession
from isla_console.settings.resolve import Settings
from isla_console.steps.runner import Runner
from isla_console.ui.commands import COMMANDS, LOOKING, REPLAY, REPLAY_KEYS, REPLAY_ROWS
from isla_console.ui.controllers.base import Console
from isla_console.ui.main.pages import PAGE_COMMANDS
from isla_console.ui.messages import (
    DraftAct,
    DraftAsked,
    SessionsAct,
    SessionsAsked,
    SqlAct,
    SqlAsked,
    SqlTyped,
    StopAsked,
)
from isla_console.ui.sheets.ask import AskScreen
from isla_console.ui.sheets.guard import GuardScreen
from isla_console.ui.shell import Shell
from isla_console.ui.views.communication import drafts
from isla_console.ui.widgets.rows import RowList
from tests.drill.score.test_score import good
from tests.support.console import console_app
from tests.support.pilot import settle

SIZE = (80, 24)
ROWS = int(os.environ.get("ROWS", "2"))
"""Rows of a kind that are entered on each page."""


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was tried although this is a replay: a record, a step, a sheet that asks."""
    found: list[str] = []

    async def record(self: Any, events: Any) -> bool:
        found.append(f"recorded {[event.kind for event in events]}")
        return False

    def start(self: Any, step: Any, *rest: Any) -> None:
        found.append(f"started {step.id}")
        raise AssertionError(step.id)

    push = App.push_screen

    def pushed(self: App[Any], screen: Any, *rest: Any, **more: Any) -> Any:
        if isinstance(screen, AskScreen | GuardScreen):
            found.append(f"asked {type(screen).__name__}")
        return push(self, screen, *rest, **more)

    monkeypatch.setattr(ReplaySession, "record", record)
    monkeypatch.setattr(Runner, "start", start)
    monkeypatch.setattr(App, "push_screen", pushed)
    return found


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passing messages, newest last."""
    found: list[str] = []
    monkeypatch.setattr(Console, "say", lambda self, text, **how: found.append(text))
    return found


@asynccontextmanager
async def replayed(home: Path) -> AsyncIterator[tuple[Any, Shell]]:
    """A replay that has come to its end, where every kind of row is on its pages."""
    _, story = good()
    settings = Settings.load(
        {
            "HOME": str(home),
            "ISLA_STATE_DIR": str(home / "state"),
            "ISLA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "ISLA_DATABASE_ADMIN_URL": "postgresql://nobody@127.0.0.1:1/none",
        }
    )

    seconds = [0.0]
    replay = Replay(story.events, 10, steady=lambda: seconds[0])
    app = console_app(settings, ReplaySession(settings, replay))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        seconds[0] = 100_000.0
        await app.program.look()
        app.program.console.refresh_state()
        await settle(pilot)
        assert app.main.state is not None
        assert app.main.state.incident is not None
        yield pilot, app


async def left_alone(pilot: Any, app: Shell) -> None:
    """Close whatever lies over the screen."""
    await settle(pilot)
    await close_sheets(pilot, app)


async def close_sheets(pilot: Any, app: Shell) -> None:
    while isinstance(app.screen, ModalScreen):
        await pilot.press("escape")
        await settle(pilot)


def pages(app: Shell) -> list[str]:
    runbook = app.program.session.runbook
    return [
        *sorted(PAGE_COMMANDS - {"sql", "sessions", "streams"}),
        *(f"issue:{issue.id}" for issue in runbook.issues),
        *(f"procedure:{procedure.id}" for procedure in runbook.procedures),
    ]


async def test_no_command_begins_anything(tmp_path: Path, begun: list[str], said: list[str]) -> None:
    """What only looks works; anything else says in one line that this is a replay."""
    async with replayed(tmp_path) as (pilot, app):
        for command in COMMANDS:
            if command.id in {"quit", "palette", "mouse"}:  # of the terminal alone
                continue
            for key in command.keys.split(","):
                said.clear()
                app.program.run_command(command.id, key)
                await left_alone(pilot, app)
                refused = [text for text in said if REPLAY in text]
                assert bool(refused) == (REPLAY_KEYS.get(key, command.id) not in LOOKING), command.id
        assert app.is_running
    assert begun == []
    assert not (tmp_path / "state").exists(), "a replay writes no journal"


async def test_no_row_begins_anything(tmp_path: Path, begun: list[str], said: list[str]) -> None:
    """Enter on a row, whatever page it stands on, shows something, or says why it does not.

    What enter does depends on a row's kind: `ROWS` of a kind on each page stand for the others.
    """
    entered: set[str] = set()  # the checklist stands beside every page
    async with replayed(tmp_path) as (pilot, app):
        for page in pages(app):
            app.program.console.go(page)
            await settle(pilot)
            if app.main.page != page or not app.main.query("#page"):
                continue
            lists = [app.main.query_one("#page", RowList), app.main.query_one("#checklist", RowList)]
            here: Counter[str] = Counter()
            for key in [option.id for rows in lists for option in rows.options if option.id]:
                here[key.partition(":")[0]] += 1
                if key in entered or here[key.partition(":")[0]] > ROWS:
                    continue
                said.clear()
                app.program.open_row(key)
                entered.add(key)
                await settle(pilot)
                kind = key.partition(":")[0]
                opened = isinstance(app.screen, ModalScreen) or app.main.page != page
                if kind in app.program.rows and kind not in REPLAY_ROWS:
                    assert opened or any("replay" in text for text in said), key
                await close_sheets(pilot, app)
                if app.main.page != page:
                    app.program.console.go(page)
        kinds = {key.partition(":")[0] for key in entered}
        for kind in sorted({kind for one in app.program.controllers for kind in one.rows} - kinds):
            app.program.open_row(f"{kind}:redirect-down")
            await left_alone(pilot, app)
    assert {"step", "check", "symptom"} <= kinds
    assert begun == []


@pytest.mark.slow
@pytest.mark.parametrize("page", ["home", "issue:redirect-down", "procedure:outage", "communication"])
async def test_no_key_begins_anything(tmp_path: Path, begun: list[str], page: str) -> None:
    """Every key of a keyboard, on the page itself: no sheet that asks for anything ever opens."""
    keys = [key for key in ascii_letters + digits if key != "q"]
    keys += [
        "space",
        "enter",
        "tab",
        "minus",
        "plus",
        "comma",
        "full_stop",
        "less_than_sign",
        "f2",
        "f4",
        "f5",
    ]
    async with replayed(tmp_path) as (pilot, app):
        if page not in pages(app):
            page = pages(app)[-1]
        for key in keys:
            app.program.console.go(page)
            await pilot.press(key)
            await left_alone(pilot, app)
        assert app.is_running
    assert begun == []


async def test_no_request_of_a_page_begins_anything(tmp_path: Path, begun: list[str]) -> None:
    async with replayed(tmp_path) as (pilot, app):
        draft = drafts(app.main.state, {})[0]
        requests = [
            *(SqlAsked(act, "SELECT 1") for act in get_args(SqlAct)),
            *(SessionsAsked(act, "session:1") for act in get_args(SessionsAct)),
            *(DraftAsked(act, draft) for act in get_args(DraftAct)),
            SqlTyped("SELECT 1"),
            StopAsked("redirect-rollback"),
        ]
        for request in requests:
            app.program.take_request(request)
            await left_alone(pilot, app)
        busy = [worker for worker in app.workers if worker.group in {"sql", "sessions", "judge"}]
        assert busy == []
        assert app.program.session.database is None
    assert begun == []


async def test_no_text_can_be_edited(tmp_path: Path, begun: list[str]) -> None:
    async with replayed(tmp_path) as (pilot, app):
        app.program.console.go("communication")
        await settle(pilot)
        await pilot.press("enter", "x", "y")
        await settle(pilot)
        assert app.screen.query_one("#page-communication").edits == {}  # type: ignore[attr-defined]
    assert begun == []
