"""Keys that arrive together: each acts on what the one before it opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from isla_console.ui.pages.sessions import SessionsPage
from isla_console.ui.pages.sql import SqlPage
from isla_console.ui.sheets.ask import AskScreen
from isla_console.ui.shell import Shell
from isla_console.ui.terminal.key_queue import MOST_KEYS
from isla_console.ui.widgets.text_block import TextBlock
from tests.support.frozen import OUTAGE, frozen_app
from tests.support.pilot import burst, settle
from tests.support.waiting import PATIENCE_S

SIZE = (80, 24)
TIMES = 20


async def played(pilot: Pilot[int]) -> None:
    """Until every key was taken in."""
    app = pilot.app
    assert isinstance(app, Shell)
    await until(pilot, lambda: not app.message_queue_size and not app.key_queue.is_busy)


async def until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await pilot.pause(0.01)


@pytest.fixture
def app(tmp_path: Path) -> Shell:
    return frozen_app(tmp_path, OUTAGE)


@pytest.fixture
def done(app: Shell, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What keys made the console do, as the page that was open and the command; it is not done."""
    found: list[tuple[str, str]] = []
    for page in (SqlPage, SessionsPage):
        monkeypatch.setattr(page, "action_ask", lambda self, act: found.append((self.page, act)))
    for id in ("run", "tick", "freeze", "deny"):
        app.program.commands[id] = lambda key, id=id: found.append((app.main.page, id))
    return found


async def test_a_page_is_there_before_the_next_key(app: Shell, done: list[tuple[str, str]]) -> None:
    """Through every kind of page and back: x, w and K mean something else on each."""
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        issues = [f"issue:{issue.id}" for issue in app.main.state.runbook.issues]  # type: ignore[union-attr]
        for number in range(TIMES // 10):
            burst(app, *"2xsxwaKtzDzPzo9xsg", "h")
            await played(pilot)
            assert app.main.page == "home"
            pages = [page for page, _ in done]
            assert done == [
                (issues[1], "run"),
                ("sql", "run"),
                ("sql", "watch"),
                ("sessions", "terminate"),
                ("timeline", "freeze"),
                ("deployments", "freeze"),
                ("payments", "freeze"),
                (pages[7], "run"),
                ("sql", "explain"),
            ], number
            assert pages[7].startswith("procedure:")
            done.clear()
            if number % 2:  # opened for the first time again
                for page in app.main.query(".page"):
                    if page.id != "page":
                        await page.remove()


async def test_the_key_behind_s_is_the_statement_s(app: Shell, done: list[tuple[str, str]]) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for number in range(TIMES):
            burst(app, *"hsx")
            await played(pilot)
            assert done == [("sql", "run")] * (number + 1)


async def test_a_sheet_is_there_before_the_next_key(app: Shell) -> None:
    """1 would open a page, q would leave: on a sheet they are what is typed."""
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for _ in range(TIMES // 5):
            burst(app, "2", "d", "enter", "enter", "enter")
            await until(pilot, lambda: "Proposed" in _written(app))
            burst(app, *"1q9", "escape", "1")
            await played(pilot)
            assert app.screen is app.main
            assert app.main.page == f"issue:{app.program.console.state.runbook.issues[0].id}"
            assert app.program.session.incident is None


async def test_what_is_typed_goes_to_the_editor(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for number in range(TIMES // 4):
            burst(app, "s", "i", "ctrl+end", *"q1", "escape", "i", *f"select {number}")
            paste = Paste(" + 1")
            paste.set_sender(app)
            app.post_message(paste)
            burst(app, *"d", "escape", "h")
            await played(pilot)
            assert app.main.page == "home"
            editor = app.main.query_one("#sql-editor", TextArea)
            assert editor.text.endswith(f"q1select {number} + 1d"), number
            await app.main.query_one(SqlPage).remove()


async def test_keys_before_the_console_stands_wait_for_it(tmp_path: Path) -> None:
    """At launch, before the runbook is read: nothing is lost, nothing refused."""
    app = frozen_app(tmp_path, OUTAGE)
    async with app.run_test(size=SIZE) as pilot:
        burst(app, *"2sa/", *"idle", "escape", "d")
        await until(pilot, lambda: isinstance(app.screen, AskScreen) and app.screen.is_mounted)
        assert app.main.page == "sessions"
        assert app.main.query_one("#sessions-find", Input).value == "idle"


async def test_a_page_asked_for_again_before_it_is_there(app: Shell) -> None:
    """By clicks, say, which wait for nothing."""
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for page in ("sql", "timeline", "sql", "timeline", "sessions", "sql"):
            app.main.open(page)
        await until(pilot, app.is_ready)
        assert app.focused is app.main.query_one("#sql-rows")


async def test_a_key_alone_waits_for_nothing(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await played(pilot)
        event = Key("t", "t")
        assert not app.key_queue.holds(event)
        app.key_queue.went()
        assert app.key_queue.holds(Key("x", "x"))
        await until(pilot, lambda: not app.key_queue.is_busy)


def _written(app: Shell) -> str:
    return " ".join(str(part.render()) for part in app.screen.query("Static").results())


async def test_a_deed_that_is_cut_off_says_so(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        for worker in app.workers:
            if worker.group == "command":
                worker.cancel()
        await pilot.press("escape")
        app.program.console.refresh_state()
        banner = app.main.query_one("#banner", TextBlock)
        await until(pilot, lambda: "was cut off" in " ".join(line.plain for line in banner.lines))


async def test_keys_that_come_too_fast_are_dropped_and_that_is_said(
    app: Shell, done: list[tuple[str, str]]
) -> None:
    """A cat on the keyboard, a text pasted as keys: the console hears the next key soon."""
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        burst(app, *"z" * (MOST_KEYS * 3))
        await until(pilot, lambda: bool(app.key_queue.dropped))
        assert app.notice is not None
        assert "faster than they can act" in app.notice.text
        await played(pilot)
        assert MOST_KEYS <= len(done) < MOST_KEYS * 2
        burst(app, "2")
        await played(pilot)
        assert app.main.page.startswith("issue:")


async def test_text_typed_ahead_keeps_no_key_out_that_leaves_the_field(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        burst(app, "/")
        await until(pilot, lambda: isinstance(app.focused, Input))
        burst(app, *"x" * (MOST_KEYS * 3), "escape", "2")
        await played(pilot)
        assert not app.key_queue.dropped
        assert app.main.page.startswith("issue:")
