"""Typing statements: keys are taken while the guard reads, Tab does not leave, a long text is held."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, TextArea

from isla_console.ui.pages.sql import SqlPage
from isla_console.ui.shell import Shell
from isla_console.ui.widgets.editor import MOST
from isla_console.ui.widgets.text_block import TextBlock
from tests.support.frozen import frozen_app
from tests.support.pilot import burst, settle
from tests.support.waiting import until

IDS = f"SELECT * FROM links WHERE id IN ({','.join(map(str, range(33_000)))})"
NOWHERE = {"ISLA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
ONES = "SELECT " + "1," * 99_990 + "1"
TEXT = "select slug"


def p95(lags: list[float]) -> float:
    return sorted(lags)[int(len(lags) * 0.95)]


async def opened(app: Shell, pilot: Pilot[int]) -> SqlPage:
    await settle(pilot)
    await pilot.press("s")
    await settle(pilot)
    return app.screen.query_one(SqlPage)


def said(page: SqlPage, id: str) -> str:
    return "\n".join(line.plain for line in page.query_one(id, TextBlock).lines)


async def test_keys_are_taken_while_a_long_statement_is_judged(tmp_path: Path) -> None:
    """What holds the event loop up holds every key up: measured while a person types."""
    app = frozen_app(tmp_path, environ=NOWHERE)
    async with app.run_test(size=(140, 40)) as pilot:
        page = await opened(app, pilot)
        lags: dict[bool, list[float]] = {True: [], False: []}

        async def measure() -> None:
            while True:
                judging = bool(app.program.console.running("sql"))
                before = time.perf_counter()
                await asyncio.sleep(0.002)
                lags[judging].append(time.perf_counter() - before - 0.002)

        page.take(None, ONES)
        await pilot.press("x", "Q")
        measuring = asyncio.create_task(measure())
        await pilot.press(*TEXT)
        assert page.text == TEXT
        await until(lambda: not app.program.console.running("sql"))
        await pilot.press(*TEXT)
        measuring.cancel()
        assert len(lags[True]) > 20, "it was judged while keys came"
        assert p95(lags[True]) < 3 * p95(lags[False]) + 0.03


async def test_judging_can_be_stopped(tmp_path: Path) -> None:
    app = frozen_app(tmp_path, environ=NOWHERE)
    async with app.run_test(size=(140, 40)) as pilot:
        page = await opened(app, pilot)
        page.take(None, f"{ONES},2")  # not judged before
        burst(app, "x", "X")
        await until(lambda: "Stopped" in said(page, "#sql-foot"))
        await until(lambda: not app.program.console.running("sql"))


async def test_a_long_text_is_held_judged_and_said(tmp_path: Path) -> None:
    app = frozen_app(tmp_path, environ=NOWHERE)
    async with app.run_test(size=(140, 40)) as pilot:
        page = await opened(app, pilot)
        page.take(None, "")
        await pilot.press("i")
        app.post_message(Paste(IDS))
        await until(lambda: page.editor.held == IDS)
        assert page.text == IDS
        assert len(page.editor.text) < MOST
        await until(lambda: "no side effects" in said(page, "#sql-verdict"))
        assert "characters: its beginning is shown" in said(page, "#sql-verdict")
        await pilot.press(*"abc")
        assert page.text == IDS, "what cannot be seen is not edited"
        await pilot.press("escape", "Q", *"select 1")
        assert page.text == "select 1"


async def test_beyond_the_bound_one_sentence(tmp_path: Path) -> None:
    app = frozen_app(tmp_path, environ=NOWHERE)
    async with app.run_test(size=(140, 40)) as pilot:
        page = await opened(app, pilot)
        page.take(None, "SELECT " + "1," * 150_000 + "1")
        await until(lambda: "the guard reads at most 200,000" in said(page, "#sql-verdict"))


async def test_what_is_pasted_goes_where_the_cursor_is(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        page = await opened(app, pilot)
        page.take(None, "SELECT 1 IN ()")
        await pilot.press("i", "end", "left")
        app.post_message(Paste("1," * MOST + "1"))
        await until(lambda: bool(page.editor.held))
        assert page.text == f"SELECT 1 IN ({'1,' * MOST}1)"


@pytest.mark.parametrize("key", ["tab", "shift+tab"])
async def test_tab_does_not_leave_a_field(tmp_path: Path, key: str) -> None:
    """The letters after it would be commands: `de` would open the sheet that declares."""
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        page = await opened(app, pilot)
        page.take(None, "")
        await pilot.press("i", *"wi", key, *"de")
        assert page.text == ("wi  de" if key == "tab" else "wide")
        assert app.focused is page.query_one(TextArea)
        await pilot.press("escape")
        assert app.focused is page.query_one(DataTable)
        for place, box in (("s", "#sql-find"), ("a", "#sessions-find"), ("T", "#stream-filter")):
            await pilot.press(place)
            await settle(pilot)
            await pilot.press("slash", *"wi", key, *"de")
            assert app.screen.query_one(box, Input).value == "wide"
            assert app.focused is app.screen.query_one(box)
            await pilot.press("enter")


async def test_tab_does_not_leave_a_text_for_people(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        await pilot.press("enter", "enter", "home", "enter", "f2")
        await settle(pilot)
        await pilot.press("c")
        await settle(pilot)
        await pilot.press("enter", "tab", "d", "shift+tab", "e")
        area = app.screen.query_one("#text", TextArea)
        assert app.focused is area
        assert area.text.startswith("de")
