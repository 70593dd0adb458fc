"""Dangerous steps that were begun and not done: told to the drill, kept in its record, scored."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from isla_console.drill import client
from isla_console.drill.platform.control_service import control_service
from isla_console.drill.scenario.entry import Entry
from isla_console.drill.scenario.faults import Faults
from isla_console.drill.scenario.model import load
from isla_console.drill.scenario.runner import ScenarioRunner
from isla_console.drill.score.report import in_full
from isla_console.drill.score.scoring import score
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.sheets.guard import GuardScreen
from tests.drill.score.test_score import good, judge
from tests.incident.story import at as clock
from tests.support.asgi import served
from tests.support.pilot import settle
from tests.support.runbook import shell
from tests.support.waiting import until
from tests.ui.test_steps import app_with, at, declare


def started() -> ScenarioRunner:
    return ScenarioRunner(load("redirect-down"), Faults(), lambda: datetime.now(UTC), by_hand=True)


async def no_truths() -> dict[str, object]:
    return {}


def attempts(runner: ScenarioRunner) -> list[tuple[str, str]]:
    return [(entry.step, entry.text) for entry in runner.log if entry.kind == "stopped"]


@pytest.mark.parametrize(
    ("steps", "stopped", "points"),
    [
        (["recovery-restore"], 1, 95),
        (["recovery-restore", "recovery-restore"], 1, 95),
        (["recovery-restore", "db-end-session"], 2, 90),
        (["redirect-rollback"], 0, 100),
        (["redirect-rollback.undo"], 0, 100),
    ],
)
def test_each_costs_once_and_looking_at_the_cure_costs_nothing(
    steps: list[str], stopped: int, points: int
) -> None:
    record, story = good()
    log = [*record.log]
    log[-1:-1] = [Entry(clock("14:01:10"), "stopped", f"Tried {step}", step=step) for step in steps]
    judged = judge(record.with_log(log), story)
    assert (len(judged.stopped), judged.points) == (stopped, points)
    assert judged.dangerous == ()
    told = "\n".join(in_full(judged, load("redirect-down")))
    assert ("Dangerous, and stopped\n  - Tried " in told) is bool(stopped)


async def test_the_control_takes_attempts_and_nothing_else() -> None:
    runner = started()
    async with served(control_service("t", runner, no_truths)) as url:
        answer = await client.stopped(f"{url}/?token=t", "recovery-restore", "Restore", "left at the guard")
        assert answer.ok
        assert not (await client.stopped(f"{url}/?token=no", "a", "b", "c")).ok
        assert "an attempt is" in (await client.stopped(f"{url}/?token=t", "a", "b", "")).reason
        assert "too long" in (await client.stopped(f"{url}/?token=t", "a", "b" * 20_000, "c")).reason
    assert attempts(runner) == [("recovery-restore", "Tried “Restore”: left at the guard")]
    assert not (await client.stopped(f"{url}/?token=t", "a", "b", "c")).ok, "gone: a value, nothing raised"


async def test_what_is_left_or_refused_at_the_guard_is_told(tmp_path: Path) -> None:
    """Refused before an incident; its sheet opened and left in one; a write that is left is no danger."""
    runner = started()
    steps = shell("wipe", f"rm -f {tmp_path}/none", "destroy") + shell(
        "touch", f"echo > {tmp_path}/x", "write"
    )
    async with served(control_service("t", runner, no_truths)) as url:
        app = app_with(tmp_path, steps, ISLA_DRILL="redirect-down", ISLA_DRILL_CONTROL=f"{url}/?token=t")
        async with app.run_test(size=(140, 40)) as pilot:
            await settle(pilot)
            await at(app, pilot, "wipe")
            await pilot.press("x")
            await until(lambda: isinstance(app.screen, DetailScreen))
            await until(lambda: len(attempts(runner)) == 1)
            await pilot.press("escape")
            await declare(app, pilot)
            for step in ("touch", "wipe"):
                await at(app, pilot, step)
                await pilot.press("x")
                await until(lambda: isinstance(app.screen, GuardScreen))
                await pilot.press("escape")
                await until(lambda: not isinstance(app.screen, GuardScreen))
            await until(lambda: len(attempts(runner)) == 2)
    refused, left = attempts(runner)
    assert refused[0] == "wipe"
    assert refused[1].startswith("Tried “Step wipe”: stopped by the guard, outside an incident")
    assert left == ("wipe", "Tried “Step wipe”: left at the guard")
    record, journal = good()
    judged = score(
        record.with_log([*record.log[:-1], *runner.log, record.log[-1]]),
        load("redirect-down"),
        journal.events,
    )
    assert judged.stopped == (refused[1],), "the first time counts"
