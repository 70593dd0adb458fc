"""A part of the console that fails is said on the screen, and the others go on."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isla_console.session.session import Session
from isla_console.ui.main import pages
from isla_console.ui.main.screen import MainScreen
from isla_console.ui.program import ConsoleProgram
from isla_console.ui.shell import Shell
from isla_console.ui.views import bar, sidebar
from isla_console.ui.widgets.rows import RowList
from isla_console.ui.widgets.text_block import TextBlock
from tests.support.frozen import CALM, OUTAGE, FrozenMonitor, frozen_app
from tests.support.pilot import settle
from tests.support.screen import screen_text
from tests.support.waiting import until


def shown(app: Shell) -> str:
    """The banner's text, its lines joined."""
    lines = app.main.query_one("#banner", TextBlock).lines
    return " ".join(line.plain.strip() for line in lines)


def failing(*_: Any, **__: Any) -> Any:
    raise OverflowError("date value out of range")


async def failing_later(*_: Any, **__: Any) -> Any:
    raise OverflowError("date value out of range")


@pytest.mark.parametrize("part", ["open_journal", "open_monitor", "open_database"])
async def test_a_start_that_fails_in_one_part_goes_on_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(Session, part, failing_later if part == "open_journal" else failing)
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(140, 40)) as pilot:
        session = app.program.session
        await until(lambda: "OverflowError: date value out of range" in shown(app))
        assert f"while opening the {part.removeprefix('open_')}" in shown(app)
        await until(lambda: not app.program._may_ask())
        before = session.clock.now()
        assert app.main.state is not None
        assert app.main.state.now == before
        await pilot.press("question_mark")
        await until(lambda: not isinstance(app.screen, MainScreen))
    assert "test_faults.py" in (tmp_path / "state" / "faults.log").read_text()


async def test_a_runbook_that_trips_the_console_ends_it_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "load_runbook", failing_later)
    app = frozen_app(tmp_path, CALM)
    async with app.run_test():
        await until(lambda: app.is_leaving)
    assert app.return_value == 1
    assert "the runbook could not be read: internal fault in the start: OverflowError" in app.problem


async def test_each_timer_that_fails_is_said_and_the_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        program = app.program
        assert isinstance(program, ConsoleProgram)
        for owner, name, run in (
            (Session, "tick", program.tick),
            (Session, "look", program.look),
            (Session, "notice_edits", program.notice_edits),
            (Session, "new_alarms", program.tick),
        ):
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, failing if name == "new_alarms" else failing_later)
                await run()
            assert "OverflowError" in said(program), name
            await program.tick()
            assert "OverflowError" in shown(app), name
            program.session.faults._seen.clear()


def said(program: ConsoleProgram) -> str:
    return " ".join(program.session.faults.shown())


async def test_a_state_that_cannot_be_made_is_said_on_the_banner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        with monkeypatch.context() as patch:
            patch.setattr(Session, "state", failing)
            await app.program.tick()
            assert "OverflowError" in shown(app)
            assert "no longer true" in shown(app)
        await app.program.tick()
        assert "no longer true" not in shown(app)


PARTS: dict[str, tuple[Any, str]] = {
    "bar": (bar, "bar_line"),
    "banner": (bar, "banner_lines"),
    "sidebar": (sidebar, "sidebar_rows"),
    "page": (pages, "page_rows"),
}


async def test_a_part_that_cannot_be_drawn_says_so_and_the_others_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        for part, (module, name) in PARTS.items():
            with monkeypatch.context() as patch:
                patch.setattr(module, name, failing)
                # The clock stands, so that only what is asked for is drawn.
                await app.program.tick()
                await pilot.pause()
                text = _text(app, part)
                assert "cannot be drawn: OverflowError" in text, part
            await app.program.tick()
            await pilot.pause()
            assert "cannot be drawn" not in _text(app, part)
            assert f"while drawing the {part}: OverflowError" in shown(app)
            app.program.session.faults._seen.clear()


def _text(app: Shell, part: str) -> str:
    widget = app.main.query_one(f"#{part}")
    if isinstance(widget, TextBlock):
        return "\n".join(line.plain for line in widget.lines)
    assert isinstance(widget, RowList)
    return "\n".join(row.content.plain for row in widget._rows)


async def test_workers_and_strays_that_fail_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FrozenMonitor, "run", failing_later)
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        program = app.program
        await until(lambda: "in Session.measure: OverflowError" in said(program))

        async def stray() -> None:
            raise KeyError("lost")

        begun: list[tuple[Callable[[], Any], str]] = [
            (lambda: program.session.follow(stray()), "stray: KeyError"),
            (lambda: program.console.begin(stray()), "stray: KeyError"),
            (lambda: asyncio.get_running_loop().call_soon(lambda: {}["x"]), "in a callback: KeyError"),
        ]
        for begin, words in begun:
            program.session.faults._seen.clear()
            begin()
            await until(lambda words=words: words in said(program))
            await program.tick()
            assert "KeyError" in shown(app)


@pytest.mark.parametrize("size", [(10, 4), (1, 1), (12, 30), (140, 4)])
async def test_no_key_ends_it_on_a_screen_of_a_few_cells(tmp_path: Path, size: tuple[int, int]) -> None:
    """Texts are wrapped into whatever room there is, which may be none."""
    app = frozen_app(tmp_path, OUTAGE)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("d", "enter", "enter", "home", "enter", "f2")
        await settle(pilot)
        for key in "U?wo1tcspaDPTh":
            await pilot.press(key)
            await settle(pilot)
            await pilot.press("escape")
            await settle(pilot)
        assert app.return_code is None
        assert not app.program.session.faults.shown()


async def test_a_key_that_fails_by_a_defect_is_said_and_the_console_goes_on(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)

        def broken(key: str) -> None:
            raise ZeroDivisionError("a defect")

        app.program.commands["help"] = broken
        await pilot.press("?")
        await settle(pilot)
        assert "ZeroDivisionError" in screen_text(app)
        await pilot.press("1")
        await settle(pilot)
        assert app.main.page == "issue:redirect-down"
