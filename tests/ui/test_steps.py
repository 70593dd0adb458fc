"""Doing steps from their pages: in place, behind the guard, and no output moves the screen."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from isla_console.incident import commands as act
from isla_console.incident.report import report
from isla_console.journal.local import FILE_NAME, LocalJournal
from isla_console.steps import backup
from isla_console.ui.sheets.ask import AskScreen
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.sheets.guard import GuardScreen
from isla_console.ui.shell import Shell
from isla_console.ui.widgets.rows import RowList
from tests.support.frozen import OUTAGE, Moment, frozen_app
from tests.support.pilot import settle
from tests.support.runbook import runbook_with, shell
from tests.support.screen import screen_text
from tests.support.waiting import until

ESCAPES = [
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]0;title\x07",
    "\x1b]2;title\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1b[?1049h",
    "\x1b[?2004h",
    "\x1b[?1000h",
    "\x1b[6n",
    "\x1bc",
    "\x9b31m",
    "\x90q\x9c",
    "\r overwritten",
    "\x08\x08\x08gone",
    "\x07",
    "\u202egnp.exe",
    "\u2066hidden\u2069",
    "[bold red]markup[/]",
    "[@click=app.quit]quit[/]",
    "[link=https://evil.example]x[/link]",
    "$error",
    "%s %d {0} {name}",
]
"""OSC 52, titles, cursor and screen control, bracketed paste, mouse, 8-bit controls, bidi, markup."""


def app_with(folder: Path, steps: str, *, moment: Moment | None = None, **environ: str) -> Shell:
    """The console with the shipped runbook, whose first issue's diagnosis is `steps`."""
    file = runbook_with(folder, steps)
    return frozen_app(
        folder, OUTAGE, moment=moment, environ={"ISLA_RUNBOOK": str(file), "PATH": "/usr/bin:/bin", **environ}
    )


async def declare(app: Shell, pilot: Pilot[int]) -> None:
    state = app.program.console.state
    events = act.declare(
        title="Redirect service down",
        severity="P1",
        issue="redirect-down",
        policy=state.runbook.policy(),
        runbook_sha256="0" * 64,
        author=app.program.session.author,
        now=app.program.session.clock.now(),
        taken=[],
    )
    await app.program.session.record(events)
    app.program.session.work_on(events[0].incident)
    app.program.console.refresh_state()
    await pilot.pause()


async def at(app: Shell, pilot: Pilot[int], step: str) -> None:
    """Open the first issue with the cursor on a step."""
    app.program.console.go("issue:redirect-down")
    rows = app.main.query_one("#page", RowList)
    assert rows.go(f"step:{step}")
    app.main.set_focus(rows)
    await pilot.pause()


async def ended(app: Shell, step: str) -> None:
    """Until a step has a result, and it is journalled."""
    services = app.program.steps.step_services
    await until(lambda: services.runner.outcome(step) is not None)
    await until(lambda: not app.program.session._followed)


async def test_a_step_that_the_end_of_the_console_cuts_off_is_journalled(tmp_path: Path) -> None:
    """Whatever ends it: the step's end is not the screen's to wait for."""
    app = app_with(tmp_path, shell("slow", "echo begun; sleep 600"))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        await at(app, pilot, "slow")
        await pilot.press("x")
        await until(lambda: "begun" in screen_text(app))
        app.hang_up(signal.SIGTERM)
    with LocalJournal.open(tmp_path / "state" / FILE_NAME) as journal:
        events = [event for _, event in journal.since(0)]
    assert [event.kind for event in events[-2:]] == ["ran", "console_closed"]
    ran = events[-2].data
    assert (ran["step"], "begun" in ran["output"], "stopped" in ran["result"]) == ("slow", True, True)


async def test_enter_runs_a_read_in_place(tmp_path: Path) -> None:
    app = app_with(tmp_path, shell("hello", "echo hello there", more="        expect: {exit_code: 0}\n"))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        await at(app, pilot, "hello")
        await pilot.press("enter")
        await ended(app, "hello")
        await pilot.pause()
        shown = screen_text(app)
        assert "hello there" in shown
        assert "as expected: exit 0" in shown
        assert app.program.session.incident is not None
        ran = [event for event in app.program.session.incident.timeline if event.kind == "ran"]
        assert [(event.data["step"], event.data["exit_code"], event.data["output"]) for event in ran] == [
            ("hello", 0, "hello there\n")
        ]
        await pilot.press("enter")
        await until(
            lambda: (
                (o := app.program.steps.step_services.runner.outcome("hello")) is not None
                and o.changed is not None
            )
        )
        await pilot.pause()
        assert "the same as before" in screen_text(app)


async def test_live_output_and_stop(tmp_path: Path) -> None:
    app = app_with(tmp_path, shell("slow", "echo first; sleep 60"))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await at(app, pilot, "slow")
        await pilot.press("enter")
        await until(lambda: "first" in screen_text(app))
        assert "X: stop" in screen_text(app)
        app.program.console.go("home")
        await pilot.pause()
        assert app.program.steps.step_services.runner.running
        await at(app, pilot, "slow")
        await pilot.press("X")
        await ended(app, "slow")
        assert not app.program.steps.step_services.runner.running
        await pilot.pause()
        assert "stopped" in screen_text(app)


async def test_quitting_asks_and_stops(tmp_path: Path) -> None:
    app = app_with(tmp_path, shell("slow", "echo $$; sleep 60"))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await at(app, pilot, "slow")
        await pilot.press("enter")
        await until(lambda: bool(app.program.steps.step_services.runner.runs["slow"].capture.size))
        pid = int(app.program.steps.step_services.runner.runs["slow"].capture.take().head.split()[0])
        await pilot.press("q")
        await until(lambda: isinstance(app.screen, AskScreen))
        await pilot.pause()
        assert "Still running: Step slow" in screen_text(app)
        await pilot.press("enter")  # stay is what stands chosen
        await settle(pilot)
        assert app.program.steps.step_services.runner.running
        await pilot.press("q")
        await until(lambda: isinstance(app.screen, AskScreen))
        await pilot.press("up", "enter")
        await until(lambda: not app.is_running)
    await until(lambda: not Path(f"/proc/{pid}").exists())


async def test_inputs_are_asked_once_and_masked(tmp_path: Path) -> None:
    app = app_with(tmp_path, shell("greet", 'echo "hello $WHO"; echo "$KEY"'))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        await at(app, pilot, "greet")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, AskScreen))
        await pilot.press(*"ben", "enter", *"hunter2hunter2")
        await pilot.pause()
        assert app.screen.query_one("#field-KEY", Input).password
        assert "hunter2" not in screen_text(app)
        await pilot.press("enter")
        await ended(app, "greet")
        await pilot.pause()
        shown = screen_text(app)
        assert "hello ben" in shown
        assert "hunter2" not in shown
        await pilot.press("enter")
        await settle(pilot)
        assert not isinstance(app.screen, AskScreen)
        assert app.program.session.incident is not None
        written = report(app.program.session.incident)
        assert "hello ben" in written
        assert "hunter2" not in written
    journal = b"".join(file.read_bytes() for file in (tmp_path / "state").iterdir())
    assert b"hello ben" in journal
    assert b"hunter2" not in journal


async def test_a_secret_output_shows_itself_for_ten_seconds(tmp_path: Path) -> None:
    moment = Moment()
    app = app_with(
        tmp_path, shell("tell", "echo the-'ans'wer", more="        secret_output: true\n"), moment=moment
    )
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        await at(app, pilot, "tell")
        await pilot.press("enter")
        await ended(app, "tell")
        await pilot.pause()
        assert "the-answer" not in screen_text(app)
        assert "masked" in screen_text(app)
        await pilot.press("V")
        await pilot.pause()
        assert "the-answer" in screen_text(app)
        moment.pass_by(seconds=10)
        app.program.console.refresh_state()
        await pilot.pause()
        assert "the-answer" not in screen_text(app)
    assert b"the-answer" not in b"".join(file.read_bytes() for file in (tmp_path / "state").iterdir())


async def test_a_write_wants_the_object_typed(tmp_path: Path) -> None:
    target = tmp_path / "written"
    app = app_with(tmp_path, shell("note-down", f'echo "$WHO" > {target}', "write"))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        await at(app, pilot, "note-down")
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, DetailScreen)
        await pilot.press("escape", "x")
        await until(lambda: isinstance(app.screen, AskScreen))
        await pilot.press(*"ben", "enter")
        await until(lambda: isinstance(app.screen, GuardScreen))
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, GuardScreen)
        await pilot.press(*"yes", "enter")
        await pilot.pause()
        assert isinstance(app.screen, GuardScreen)
        assert "type ben" in screen_text(app)
        app.screen.query_one("#object", Input).value = ""
        await pilot.press(*"ben", "enter", *"because", "enter")
        await ended(app, "note-down")
        assert target.read_text() == "ben\n"
        assert app.program.session.incident is not None
        ran = next(event for event in app.program.session.incident.timeline if event.kind == "ran")
        assert (ran.actor, ran.data["reason"], ran.data["effect"]) == ("ana", "because", "write")


@pytest.mark.parametrize(
    ("text", "shown", "good"),
    [
        ("COPY t (a) FROM stdin;\n1\n2\n\\.\n", "1 table, 2 rows in the backup; public.t: 2 rows", True),
        ("COPY t (a) FROM stdin;\n1\n", "it ends within the data of public.t: the file is cut off", False),
    ],
)
async def test_a_backup_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, shown: str, good: bool
) -> None:
    """What is in it is said under the step and in the timeline; one that is cut off is no backup."""

    async def nothing_in_the_way(dsn: str, file: str) -> backup.CheckResult:
        return backup.CheckResult(("room enough",))

    monkeypatch.setattr(backup, "before_backup", nothing_in_the_way)
    tool = tmp_path / "bin" / "pg_dump"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ncat > \"$BACKUP_FILE\" <<'END'\n{text}END\n")
    tool.chmod(0o755)
    steps = shell("dump", 'pg_dump --file="$BACKUP_FILE"', "write", more="        connect: DATABASE_URL\n")
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    app = app_with(tmp_path, steps)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        app.program.steps.step_services.inputs.remember(
            "DATABASE_URL", "postgresql://ana:hunter22@db/isla", "typed"
        )
        app.program.steps.step_services.inputs.remember("BACKUP_FILE", str(tmp_path / "b.sql"), "typed")
        await at(app, pilot, "dump")
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, GuardScreen))
        await pilot.pause()
        assert "room enough" in screen_text(app)
        await pilot.press(*str(tmp_path / "b.sql"), "enter", *"because", "enter")
        await ended(app, "dump")
        await settle(pilot)
        screen = screen_text(app)
        assert ("not as expected" in screen) is not good
        assert all(part in screen for part in shown.split("; "))
        assert app.program.session.incident is not None
        notes = [
            event.data["text"] for event in app.program.session.incident.timeline if event.kind == "noted"
        ]
        assert notes == [f"Step dump: {shown}"]


async def test_outside_an_incident_nothing_is_destroyed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("x")
    app = app_with(tmp_path, shell("remove", f"rm {target}", "write"))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await at(app, pilot, "remove")
        await pilot.press("x")
        await settle(pilot)
        assert isinstance(app.screen, DetailScreen)
        shown = screen_text(app)
        assert "d declares one" in shown
        assert "removes files" in shown
    assert target.exists()


async def test_sql_that_changes_goes_to_its_own_page(tmp_path: Path) -> None:
    app = frozen_app(tmp_path, OUTAGE)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        for issue, step, page in (
            ("db-connections", "db-vacuum", "sql"),
            ("analytics", "analytics-rebuild", "sql"),
            ("db-connections", "db-end-session", "sessions"),
        ):
            app.program.console.go(f"issue:{issue}")
            rows = app.main.query_one("#page", RowList)
            assert rows.go(f"step:{step}")
            app.main.set_focus(rows)
            await pilot.press("x")
            await settle(pilot)
            await until(lambda page=page: app.main.page == page)  # type: ignore[misc]
            await settle(pilot)
            if page == "sql":
                assert app.main.query_one("#page-sql").statement.step.id == step  # type: ignore[attr-defined]


async def test_a_blocked_step_explains_itself(tmp_path: Path) -> None:
    app = frozen_app(tmp_path, OUTAGE)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        app.program.console.go("issue:payments")
        rows = app.main.query_one("#page", RowList)
        assert rows.go("step:payments-trigger")
        app.main.set_focus(rows)
        await pilot.press("x")
        await settle(pilot)
        shown = screen_text(app)
        assert "blocked: With a live key" in shown
        assert "Instead:" in shown


async def test_a_missing_tool_says_what_brings_it(tmp_path: Path) -> None:
    app = app_with(tmp_path, shell("list", "vercel ls isla"))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await at(app, pilot, "list")
        await pilot.press("enter")
        await ended(app, "list")
        await pilot.pause()
        assert "npm install --global vercel" in screen_text(app)


async def test_output_marks_a_symptom(tmp_path: Path) -> None:
    seen = '        seen: [{pattern: "HTTP 50[0-9]", symptom: redirect-reports}]\n'
    app = app_with(tmp_path, shell("look", "echo HTTP 503", more=seen))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        await at(app, pilot, "look")
        await pilot.press("enter")
        await ended(app, "look")
        assert app.program.session.incident is not None
        found = app.program.session.incident.symptoms["redirect-down/redirect-reports"]
        assert (found.seen, found.by) == (True, "measured")


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
async def test_escapes_are_text(tmp_path: Path, size: tuple[int, int]) -> None:
    """In live output, result, detail, journal and the names of columns: shown, never obeyed."""
    evil = tmp_path / "evil"
    evil.write_bytes(
        b"\n".join(text.encode("latin-1", "ignore") or text.encode() for text in ESCAPES) + b"\n"
    )
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([{f"c{text}": text for text in ESCAPES[:6]}, {"b": ESCAPES[16]}]))
    steps = shell("evil", f"cat {evil}; sleep 1") + shell("rows", f"cat {rows}", more="        table: '[]'\n")
    app = app_with(tmp_path, steps)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        for step in ("evil", "rows"):
            await at(app, pilot, step)
            await pilot.press("enter")
            await asyncio.sleep(0.5)
            assert not controls(screen_text(app))
            await ended(app, step)
            await pilot.pause()
            assert not controls(screen_text(app))
            await pilot.press("right")
            await pilot.pause()
            assert isinstance(app.screen, DetailScreen)
            shown = screen_text(app)
            assert not controls(shown)
            if step == "evil":
                assert "␛]52;c;ZXZpbA==" in shown
                assert "[bold red]markup[/]" in shown or size == (80, 24)
            await pilot.press("escape")
        assert app.is_running
        await pilot.press("t")
        await pilot.pause()
        assert not controls(screen_text(app))


def controls(text: str) -> str:
    """Control characters of a text that are none of its line ends."""
    return "".join(char for char in text if (ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0)
