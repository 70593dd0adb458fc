"""Streams on their own page by keys alone: follow, pause, filter, turn, stop."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from textual.pilot import Pilot
from textual.widgets import Input

from isla_console.ui.pages.streams import StreamsPage
from isla_console.ui.shell import Shell
from tests.support.pilot import settle
from tests.support.runbook import shell
from tests.ui.test_steps import app_with, at, ended, screen_text, until


class Lines:
    """A server whose stream sends what a test says, when it says it."""

    def __init__(self) -> None:
        self.url = ""
        self._to: list[asyncio.StreamWriter] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        self._to.append(writer)

    async def send(self, *texts: str) -> None:
        for text in texts:
            self._to[-1].write(json.dumps({"level": "error", "m": text}).encode() + b"\n")
        await self._to[-1].drain()

    def close(self) -> None:
        for writer in self._to:
            writer.close()


@pytest_asyncio.fixture
async def lines() -> AsyncIterator[Lines]:
    found = Lines()
    server = await asyncio.start_server(found.take, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    yield found
    found.close()
    server.close()


def steps(lines: Lines) -> str:
    follow = (
        "      - id: logs\n        title: Step logs\n        kind: http\n        effect: stream\n"
        f'        http: {{url: "{lines.url}"}}\n        table: "{{level: level, text: m}}"\n'
    )
    return follow + shell("clock", "n=0; while :; do n=$((n+1)); echo tick $n; sleep 0.05; done", "stream")


async def received(app: Shell, pilot: Pilot[int], step: str, count: int) -> None:
    """Until so many lines came, and are drawn."""
    await until(lambda: app.program.steps.step_services.runner.runs[step].received >= count)
    app.program.console.refresh_state()
    await pilot.pause()


async def open_logs(app: Shell, pilot: Pilot[int], lines: Lines) -> StreamsPage:
    await settle(pilot)
    await at(app, pilot, "logs")
    await pilot.press("x")
    await until(lambda: bool(lines._to) and app.main.page == "streams")
    await settle(pilot)
    return app.main.query_one(StreamsPage)


async def test_follow_pause_and_go_on(tmp_path: Path, lines: Lines) -> None:
    app = app_with(tmp_path, steps(lines))
    async with app.run_test(size=(140, 40)) as pilot:
        await open_logs(app, pilot, lines)
        await lines.send("first line")
        await received(app, pilot, "logs", 1)
        assert "first line" in screen_text(app)
        assert "follows" in screen_text(app)
        await pilot.press("space")
        await lines.send("second line")
        await received(app, pilot, "logs", 2)
        shown = screen_text(app)
        assert "PAUSED: it goes on, unseen" in shown
        assert "2 lines in" in shown
        assert "second line" not in shown
        await pilot.press("space")
        await pilot.pause()
        assert "second line" in screen_text(app)
        await pilot.press("space")
        await lines.send("third line")
        await received(app, pilot, "logs", 3)
        await pilot.press("X")
        await ended(app, "logs")
        await pilot.pause()
        assert "PAUSED before its end" in screen_text(app)
        await pilot.press("space")
        await pilot.pause()
        shown = screen_text(app)
        assert "third line" in shown
        assert "3 lines · stopped" in shown
        assert "PAUSED" not in shown


async def test_filter(tmp_path: Path, lines: Lines) -> None:
    app = app_with(tmp_path, steps(lines))
    async with app.run_test(size=(80, 24)) as pilot:
        page = await open_logs(app, pilot, lines)
        await lines.send("GET /one", "POST /two x", "GET /three")
        await received(app, pilot, "logs", 3)
        await pilot.press("slash", *"post", "space", "slash", "t")
        await pilot.pause()
        shown = screen_text(app)
        assert page.query_one(Input).value == "post /t"
        assert "1 with “post /t”" in shown
        assert "POST /two x" in shown
        assert "GET" not in shown
        await lines.send("POST /three", "GET /four")
        await received(app, pilot, "logs", 5)
        shown = screen_text(app)
        assert "2 with “post /t”" in shown
        assert "POST /three" in shown
        await pilot.press("enter")
        await pilot.pause()
        assert app.focused is page.place_focus()
        # The filter stays while lines are looked at, and pausing keeps to it.
        await pilot.press("space")
        await lines.send("POST /twelve")
        await received(app, pilot, "logs", 6)
        assert "POST /twelve" not in screen_text(app)
        await pilot.press("slash", *["backspace"] * 7, "escape")
        await pilot.pause()
        assert "GET /one" in screen_text(app)
        assert "-open" not in page.query_one(Input).classes
        assert app.main.page == "streams"


async def test_two_streams(tmp_path: Path, lines: Lines) -> None:
    """Left and right turn to the other; what is stopped is the one that is looked at."""
    app = app_with(tmp_path, steps(lines))
    async with app.run_test(size=(140, 40)) as pilot:
        await open_logs(app, pilot, lines)
        await lines.send("from the log")
        await received(app, pilot, "logs", 1)
        await at(app, pilot, "clock")
        await pilot.press("x")
        await until(
            lambda: "clock" in app.program.steps.step_services.runner.runs and app.main.page == "streams"
        )
        await settle(pilot)
        await until(lambda: app.program.steps.step_services.runner.runs["clock"].capture.lines > 2)
        app.program.console.refresh_state()
        await pilot.pause()
        page = app.main.query_one(StreamsPage)
        await pilot.press("space")
        await pilot.pause()
        assert page.chosen == "clock"
        shown = screen_text(app)
        assert "Step clock  (2 streams)" in shown
        assert "tick 2" in shown
        assert " 0 lines" not in shown
        await pilot.press("left")
        await pilot.pause()
        shown = screen_text(app)
        assert "Step logs  (2 streams)" in shown
        assert "PAUSED" not in shown
        assert "from the log" in shown
        await pilot.press("right", "X")
        await until(lambda: app.program.steps.step_services.runner.outcome("clock") is not None)
        assert app.program.steps.step_services.runner.runs["logs"].is_running
        await at(app, pilot, "logs")
        await pilot.press("x")
        await until(lambda: page.chosen == "logs" and app.main.page == "streams")
        app.program.console.go("home")
        await pilot.pause()
        assert app.program.steps.step_services.runner.runs["logs"].is_running


async def test_a_page_without_streams(tmp_path: Path, lines: Lines) -> None:
    app = app_with(tmp_path, steps(lines))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("T")
        await settle(pilot)
        assert "No stream runs" in screen_text(app)
        await pilot.press("space", "left", "right", "X", "slash", *"abc", "enter", "space")
        await pilot.pause()
        assert "No stream runs" in screen_text(app)
        assert app.is_running
