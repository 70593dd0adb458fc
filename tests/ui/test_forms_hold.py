"""No key falls through a sheet to the page behind, and what is refused stays open with what was typed."""

from __future__ import annotations

import asyncio
import inspect
import string
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from isla_console.incident.record.events import event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.cadence import updates
from isla_console.incident.rules.clocks import hold_now
from isla_console.incident.rules.proposal import propose
from isla_console.runbook.model import Runbook
from isla_console.session.confirm import Confirmation
from isla_console.session.questions import Question
from isla_console.session.state import ConsoleState
from isla_console.sql.sessions import ServerSession
from isla_console.ui.main.screen import MainScreen
from isla_console.ui.sheets import command, incident, ladder, sql, steps
from isla_console.ui.sheets.ask import AskScreen
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.sheets.guard import GuardScreen
from isla_console.ui.sheets.help import HelpScreen
from isla_console.ui.sheets.search import SearchScreen
from isla_console.ui.shell import Shell
from tests.support.frozen import NOW, OUTAGE, Moment, frozen_app
from tests.support.pilot import settle
from tests.support.waiting import PATIENCE_S
from tests.ui.test_command import DECLARE, press

PRINTABLE = (*("space" if char == " " else char for char in string.printable[:95]), "é", "я", "世")
FUNCTION = tuple(f"f{number}" for number in (*range(1, 13),) if number != 2)
OTHERS = ("ctrl+p", "ctrl+l", "ctrl+r", "insert")
HANDS_IN = ("enter", "f2")

SESSION = ServerSession(7, NOW, NOW, "api", "isla", "api", "10.0.0.1", "idle", "", "", 9.0, 9.0, None, "")

Make = Callable[[ConsoleState, Incident], Screen[Any] | None]
"""Makes a sheet as its controller does."""


def _of(runbook: Runbook, kind: str) -> Any:
    return next(step for step in runbook.all_steps() if step.kind == kind)


def _questions(state: ConsoleState) -> list[Question]:
    return [Question((item,), (), None) for item in list(state.runbook.inputs.values())[:2]]


# Each sheet, and whether it is wrong as it opens, so that what hands in is refused.
SHEETS: dict[str, tuple[Make, bool]] = {
    "question_sheet": (lambda s, i: incident.question_sheet(s, None), False),
    "declare_sheet": (
        lambda s, i: incident.declare_sheet(
            s, propose(s.runbook.severities, trouble="major", affected_percent=None), ""
        ),
        True,
    ),
    "state_sheet": (lambda s, i: incident.state_sheet(s, i), False),
    "severity_sheet": (lambda s, i: incident.severity_sheet(s, i), True),
    "note_sheet": (lambda s, i: incident.note_sheet(s), True),
    "overrule_sheet": (lambda s, i: incident.overrule_sheet("well", ["it is red"]), True),
    "take_back_sheet": (lambda s, i: incident.take_back_sheet("a step", "ben", NOW, s), False),
    "join_sheet": (lambda s, i: incident.join_sheet(i, s, declared=True), True),
    "resume_sheet": (lambda s, i: incident.resume_sheet([i]), False),
    "quit_sheet": (lambda s, i: incident.quit_sheet(i), False),
    "answer_sheet": (lambda s, i: ladder.answer_sheet(s, i), True),
    "waive_sheet": (lambda s, i: ladder.waive_sheet(s, i), True),
    "escalate_sheet": (lambda s, i: ladder.escalate_sheet(s, i), False),
    "hold_sheet": (lambda s, i: ladder.hold_sheet(), True),
    "end_hold_sheet": (lambda s, i: ladder.end_hold_sheet(hold_now(i, s.now) or i.holds[0], s), False),
    "roles_sheet": (lambda s, i: command.roles_sheet(s, i), False),
    "impact_sheet": (lambda s, i: command.impact_sheet(s, i), False),
    "action_sheet": (lambda s, i: command.action_sheet(s), False),
    "postmortem_sheet": (lambda s, i: command.postmortem_sheet(i, s), False),
    "snooze_sheet": (lambda s, i: command.snooze_sheet(updates(i, s.now), s), True),
    "send_sheet": (lambda s, i: command.send_sheet("public", "public update"), True),
    "places_sheet": (lambda s, i: command.places_sheet("Mail", ["[service]", "[impact]"]), True),
    "merge_sheet": (lambda s, i: command.merge_sheet([i]), False),
    "reason_sheet": (lambda s, i: command.reason_sheet("Skip", "Reason"), True),
    "correct_sheet": (lambda s, i: command.correct_sheet(i.timeline[-1], i, s), False),
    "manual_sheet": (lambda s, i: steps.manual_sheet(_of(s.runbook, "manual")), False),
    "inputs_sheet": (lambda s, i: steps.inputs_sheet(_of(s.runbook, "http"), _questions(s), NOW), True),
    "unproven_sheet": (lambda s, i: sql.unproven_sheet("SELECT f()", "no tree"), True),
    "unlock_sheet": (lambda s, i: sql.unlock_sheet("isla_writer"), True),
    "parameter_sheet": (lambda s, i: sql.parameter_sheet(s.runbook, ["FROM", "TO"], NOW), False),
    "days_sheet": (lambda s, i: sql.days_sheet(s.runbook, "FROM", "", ""), True),
    "export_sheet": (lambda s, i: sql.export_sheet("/tmp"), False),
    "end_sheet": (lambda s, i: sql.end_sheet(SESSION, "terminate", 3), True),
    "end_group_sheet": (lambda s, i: sql.end_group_sheet("api", [SESSION]), True),
    "GuardScreen": (
        lambda s, i: GuardScreen(Confirmation("Roll back", "destroy", "Type it:", "dpl_5pQ9", NOW)),
        True,
    ),
    "SearchScreen": (lambda s, i: SearchScreen(s.runbook), True),
    "HelpScreen": (lambda s, i: HelpScreen("overview", lambda one: ""), False),
    "DetailScreen": (lambda s, i: DetailScreen("A row", []), False),
}
CLOSE = {"HelpScreen": {"?", "q", "f1", "question_mark"}, "DetailScreen": {"q"}}
"""Keys that close what is only read, as its frame says."""


def _sheets_of(module: ModuleType) -> set[str]:
    return {
        name
        for name, made in inspect.getmembers(module, inspect.isfunction)
        if name.endswith("_sheet") and made.__module__ == module.__name__
    }


def test_no_sheet_is_missing_here() -> None:
    known = set().union(*(_sheets_of(module) for module in (command, incident, ladder, sql, steps)))
    assert known == {name for name in SHEETS if name.endswith("_sheet")}


@asynccontextmanager
async def watched(home: Path) -> AsyncIterator[tuple[Pilot[int], Shell, list[str]]]:
    """An app in an incident with a hold and a note; the list gets whatever the page behind does."""
    did: list[str] = []
    app = frozen_app(home, OUTAGE, moment=Moment())
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await press(pilot, *DECLARE)
        program, session = app.program, app.program.session
        now = session.clock.now() - timedelta(minutes=1)
        for kind, data in (
            ("hold_started", {"reason": "vendor", "until": (now + timedelta(minutes=9)).isoformat()}),
            ("noted", {"text": "a note"}),
        ):
            await session.record(
                [event(kind, data, incident=session.incident_id, author=session.author, now=now)]
            )
        await settle(pilot)

        def spy(name: str) -> Callable[..., Any]:
            return lambda *given: did.append(f"{name}{given}")

        for name in ("run_command", "open_row", "take_request"):
            setattr(program, name, spy(name))
        real = session.record

        async def record(events: Any) -> bool:
            did.append(f"record{[one.kind for one in events]}")
            return await real(events)

        session.record = record  # type: ignore[method-assign]
        yield pilot, app, did


async def burst(pilot: Pilot[int], app: Shell, *keys: str) -> None:
    """Keys as a slow line delivers them: all at once."""
    for key in keys:
        char = " " if key == "space" else key if len(key) == 1 else None
        app.post_message(Key(_character_to_key(key) if len(key) == 1 else key, char))
    async with asyncio.timeout(PATIENCE_S):
        await pilot.pause()
        while app.key_queue.is_busy:
            await pilot.pause(0.01)
    await pilot.pause()


GROUPS = [list(SHEETS)[start::4] for start in range(4)]


@pytest.mark.parametrize("names", GROUPS)
async def test_every_key_stays_in_the_sheet(names: list[str], tmp_path: Path) -> None:
    async with watched(tmp_path) as (pilot, app, did):
        for name in names:
            await _holds(name, pilot, app, did)


async def _holds(name: str, pilot: Pilot[int], app: Shell, did: list[str]) -> None:
    make, is_wrong = SHEETS[name]
    state = app.program.console.state  # type: ignore[union-attr]
    assert state.incident is not None
    sheet = make(state, state.incident)
    assert sheet is not None
    answered: list[Any] = []
    page = app.main.page
    app.push_screen(sheet, answered.append)
    await pilot.pause()
    closing = CLOSE.get(name, set())
    for keys in (HANDS_IN if is_wrong else (), FUNCTION, OTHERS, PRINTABLE):
        await burst(pilot, app, *(key for key in keys if key not in closing))
        assert app.screen is sheet, f"{name} left among {keys}"
    box = sheet.focused
    if isinstance(box, Input) and name != "SearchScreen":
        kept = box.value
        assert "xyz" in kept, f"{name}: what was typed is there"
        if name in {"end_sheet", "end_group_sheet", "GuardScreen"}:
            await burst(pilot, app, "enter")
            assert (app.screen, box.value) == (sheet, kept)
    assert (did, answered, app.main.page) == ([], [], page), name
    await burst(pilot, app, "escape")
    assert isinstance(app.screen, MainScreen)
    assert did == [], name


@pytest.mark.parametrize(
    ("keys", "typed", "field"),
    [
        # The state: a jump, to resolve, to close, each without its reason.
        (("m", "end"), "wrong alarm", "reason"),
        (("m", "home", "down", "down", "down"), "rolled back", "reason"),
        (("m", "home", "down", "down", "down", "down"), "watched it", "reason"),
        (("v",), "more users", "reason"),
        (("i", "tab"), "20m ago", "since"),
        (("A",), "Alert on 404s", "text"),
        (("n",), "kls q", "text"),
        (("H",), "vendor", "reason"),
        (("l",), "he is on a plane", "reason"),
    ],
)
async def test_a_refused_form_keeps_the_cursor_on_what_is_missing(
    keys: tuple[str, ...], typed: str, field: str, tmp_path: Path
) -> None:
    """The keys that open it, F2 too early, then what was meant for the form: none of it is a command."""
    app = frozen_app(tmp_path, OUTAGE)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await press(pilot, *DECLARE)
        found = app.program.session.incident
        assert found is not None
        before = len(found.timeline)
        if keys[0] == "i":
            await press(pilot, *keys)
            await pilot.press(*("space" if char == " " else char for char in typed), "f2")
        else:
            # In one burst, as a slow line delivers it.
            await pilot.press(*keys, "f2", *("space" if char == " " else char for char in typed))
        await settle(pilot)
        assert isinstance(app.screen, AskScreen)
        assert app.screen.answers[field] == typed
        focused = app.screen.focused
        assert focused is not None
        assert focused.id == ("field-reason" if keys[0] == "i" else f"field-{field}")
        assert len(app.program.session.incident.timeline) == before  # type: ignore[union-attr]


async def test_ctrl_q_over_a_form_wants_a_second_one(tmp_path: Path) -> None:
    app = frozen_app(tmp_path, OUTAGE)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await press(pilot, *DECLARE, "n", "a", "b", "ctrl+q")
        assert isinstance(app.screen, AskScreen)
        assert app.screen.answers["text"] == "ab"
        assert app.return_code is None
        await pilot.press("ctrl+q")
        assert app.return_code == 0


async def test_what_another_console_changed_meanwhile_is_said_before_it_is_overwritten(
    tmp_path: Path,
) -> None:
    moment = Moment()
    app = frozen_app(tmp_path, OUTAGE, moment=moment)
    other = frozen_app(tmp_path, OUTAGE, moment=moment, environ={"ISLA_ACTOR": "ben"})
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await press(pilot, *DECLARE, "m")
        async with other.run_test(size=(140, 40)) as second:
            await settle(second)
            await press(second, "m", "down", "f2")
            assert other.program.session.incident is not None
            assert other.program.session.incident.state == "identified"
        await app.program.look()
        await press(pilot, "f2")
        assert isinstance(app.screen, AskScreen)
        assert "meanwhile ben set it identified" in str(app.screen.query_one("#problem").render())
        await press(pilot, "tab", "b", "f2")
        assert app.program.session.incident is not None
        assert app.program.session.incident.state == "investigating", "known, and meant all the same"
