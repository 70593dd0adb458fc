"""How a scenario unfolds in time, healed and injected by hand."""

import asyncio
from datetime import UTC, datetime

from isla_console.drill.scenario.faults import Connections, Errors, Fault, Faults, Latency
from isla_console.drill.scenario.model import Cure, Phase, Scenario
from isla_console.drill.scenario.runner import ScenarioRunner
from tests.support.waiting import until

_SLOW = Latency(target="redirect", ms=900)
_FAILING = Errors(target="redirect")
_SCENARIO = Scenario(
    id="test",
    title="Test",
    summary="",
    phases=(
        Phase(at_s=0, title="Well"),
        Phase(at_s=30, title="Slow", faults=(_SLOW,)),
        Phase(at_s=30.1, title="Failing", faults=(_FAILING,)),
    ),
    cures=(Cure(action="cure", title="Cured"),),
    issue="redirect-down",
    briefing="",
    cause=("x",),
    truths=("x",),
)


def _runner(faults: Faults, *, healthy_s: float | None = None, by_hand: bool = False) -> ScenarioRunner:
    return ScenarioRunner(_SCENARIO, faults, lambda: datetime.now(UTC), healthy_s=healthy_s, by_hand=by_hand)


def _in_force(faults: Faults) -> list[Fault]:
    return list(faults.active)


def _titles(runner: ScenarioRunner) -> list[str]:
    log = runner.state()["log"]
    assert isinstance(log, list)
    return [entry["text"] for entry in log]


async def test_phases_follow_each_other_and_replace_their_faults() -> None:
    faults = Faults()
    seen: list[object] = []
    faults.on_change(lambda: seen.append(faults.active))
    runner = _runner(faults, healthy_s=0.05)
    runner.begin()
    await until(lambda: len(seen) >= 2)
    assert seen == [(_SLOW,), (_FAILING,)]
    assert _titles(runner) == ["Well", "Slow", "Failing"]


async def test_by_hand_nothing_happens_by_itself() -> None:
    faults = Faults()
    runner = _runner(faults, healthy_s=0, by_hand=True)
    runner.begin()
    await asyncio.sleep(0.1)
    assert _in_force(faults) == []
    runner.inject()
    assert _in_force(faults) == [_SLOW]
    runner.inject()
    assert _in_force(faults) == [_FAILING]


async def test_healing_ends_the_runner() -> None:
    faults = Faults()
    runner = _runner(faults)
    runner.begin()
    runner.inject()
    runner.heal()
    await asyncio.sleep(0.2)
    assert _in_force(faults) == []
    assert runner.state()["healed"] is True
    assert _titles(runner) == ["Well", "Slow", "Healed"]


async def test_injecting_after_healing_begins_with_the_first_fault_and_goes_on() -> None:
    faults = Faults()
    runner = _runner(faults)
    runner.begin()
    runner.inject()
    runner.heal()
    runner.inject()
    assert _in_force(faults) == [_SLOW]
    assert runner.state()["healed"] is False
    await until(lambda: _in_force(faults) == [_FAILING])


async def test_a_fault_of_ones_own_comes_on_top() -> None:
    faults = Faults()
    runner = _runner(faults, by_hand=True)
    runner.inject()
    runner.inject(Connections(count=60))
    assert _in_force(faults) == [_SLOW, Connections(count=60)]
