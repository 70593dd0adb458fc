"""Golden pictures of drills and of a replay. `pytest --snapshot-update` after looking at the new ones."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from isla_console.drill.client import DrillState
from isla_console.drill.scenario.entry import Entry
from isla_console.drill.scenario.faults import Faults
from isla_console.drill.scenario.model import load, names
from isla_console.drill.scenario.runner import ScenarioRunner
from isla_console.session.replay import Replay, ReplaySession
from isla_console.settings.resolve import Settings
from isla_console.ui.shell import Shell
from tests.drill.score.test_score import good
from tests.support.console import console_app
from tests.support.frozen import NOW, OUTAGE, frozen_app
from tests.support.pilot import settle

Compare = Callable[..., bool]
WIDE = (140, 40)
SMALL = (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, SMALL], ids=["140x40", "80x24"])


def state_of(name: str, *, cured: bool) -> DrillState:
    """A drill four minutes into its outage: what people said by then, two hints; cured or not."""
    scenario = load(name)
    at = [NOW - timedelta(seconds=260)]
    runner = ScenarioRunner(scenario, Faults(), lambda: at[0], by_hand=True)
    at[0] = began = NOW - timedelta(seconds=240)
    runner.inject()
    at[0] += timedelta(seconds=8)
    runner.alarm()
    said = [
        Entry(began + timedelta(seconds=inject.at_s), "message", inject.message.text, inject.message.sender)
        for inject in scenario.injects
        if inject.message is not None and inject.at_s < 240
    ]
    hints = [Entry(began + timedelta(seconds=hint.at_s), "hint", hint.text) for hint in scenario.hints]
    log = [*runner.log, *said, *(hint for hint in hints if hint.at < NOW)]
    if cured:
        for cure in scenario.cures:
            runner.observe(cure.action)
        log += [Entry(NOW - timedelta(seconds=5), entry.kind, entry.text) for entry in runner.log[3:]]
    return DrillState(
        scenario=name,
        title=scenario.title,
        briefing=scenario.briefing,
        entries=tuple(sorted(log, key=lambda entry: entry.at)),
    )


def drilling(home: Path, name: str, *, cured: bool, called: str = "") -> Shell:
    environ = {"ISLA_DRILL": called or name, "ISLA_DRILL_SPEED": "10"}
    app = frozen_app(home, OUTAGE, environ=environ)
    app.program.session.drill_state = state_of(name, cured=cured)
    return app


def pressing(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    async def run(pilot: Pilot[int]) -> None:
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    return run


@pytest.mark.parametrize("name", names())
def test_briefing(snap_compare: Compare, tmp_path: Path, name: str) -> None:
    """While it lasts: what people say and hints, and not what it is."""
    app = drilling(tmp_path, name, cured=False, called="unnamed")
    assert snap_compare(app, terminal_size=WIDE, run_before=pressing("B"))


@SIZES
def test_afterwards(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    """Once it is over: what it was, and how it went."""
    app = drilling(tmp_path, "redirect-down", cured=True)
    assert snap_compare(app, terminal_size=size, run_before=pressing("B"))


@SIZES
def test_replay(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    """A recorded incident in its third minute."""
    _, story = good()
    settings = Settings.load({"HOME": str(tmp_path), "ISLA_ACTOR": "ana"})
    settings.host = "jump1"
    seconds = [0.0]
    # Its own id ends in characters drawn by chance.
    events = [replace(event, incident="inc-20261123-redirect-down-7k2m") for event in story.events]
    session = ReplaySession(settings, Replay(events, 10, steady=lambda: seconds[0]))
    app = console_app(settings, session)

    async def run(pilot: Pilot[int]) -> None:
        await settle(pilot)
        seconds[0] = 2 + 15
        await app.program.look()
        await pilot.press("t")
        await settle(pilot)

    assert snap_compare(app, terminal_size=size, run_before=run)
