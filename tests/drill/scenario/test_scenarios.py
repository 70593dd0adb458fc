"""The six outages: each a known issue, healed by the runbook's right step and by nothing else."""

import asyncio
import itertools
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest

from isla_console.drill.scenario.faults import Faults, LinkLost
from isla_console.drill.scenario.model import Cure, Scenario, load, names
from isla_console.drill.scenario.runner import ScenarioRunner
from isla_console.runbook.model import Runbook
from tests.support.waiting import until

# What each cure's pattern stands for, done as the platform would tell it.
ACTIONS = ("deployment:older", "sessions:export-worker", "pile-up:root", "rebuilt:1", "event:delivered")


def started(
    scenario: Scenario, *, speed: float = 1, quiet: bool = False, by_hand: bool = True
) -> tuple[ScenarioRunner, Faults]:
    """A runner that breaks at once where it runs by itself."""
    faults = Faults()

    def now() -> datetime:
        return datetime.now(UTC)

    runner = ScenarioRunner(scenario, faults, now, healthy_s=0, speed=speed, quiet=quiet, by_hand=by_hand)
    return runner, faults


def kinds(runner: ScenarioRunner) -> list[str]:
    return [entry.kind for entry in runner.log]


def worst(runner: ScenarioRunner, scenario: Scenario) -> None:
    """All phases, one after the other."""
    for _ in scenario.phases[1:]:
        runner.inject()


def cure_all(runner: ScenarioRunner, scenario: Scenario) -> None:
    for cure in scenario.cures:
        runner.observe(cure.action)


def test_there_is_one_for_each_issue(runbook: Runbook) -> None:
    assert {load(name).issue for name in names()} == {issue.id for issue in runbook.issues}


@pytest.mark.parametrize("name", names())
def test_it_speaks_of_what_the_runbook_has(name: str, runbook: Runbook) -> None:
    scenario = load(name)
    steps = [step.id for step in runbook.all_steps()]
    for pattern in scenario.cause:
        assert any(fnmatchcase(step, pattern) for step in steps), pattern
    for action in [cure.action for cure in scenario.cures] + [turn.action for turn in scenario.wrong_turns]:
        kind, _, what = action.partition(":")
        if kind in {"step", "done"}:
            assert any(fnmatchcase(step, what) for step in steps), action
        else:
            assert kind in {"deployment", "sessions", "rebuilt", "event", "pool", "pile-up"}
    assert scenario.hints, "who is stuck is helped"
    assert scenario.truths, "afterwards it is told"


@pytest.mark.parametrize("name", names())
def test_its_cures_end_it(name: str) -> None:
    scenario = load(name)
    runner, faults = started(scenario)
    worst(runner, scenario)
    assert faults.active
    cure_all(runner, scenario)
    assert faults.active == ()
    assert kinds(runner)[-1] == "cured"


@pytest.mark.parametrize("name", names())
def test_nothing_else_ends_it(name: str) -> None:
    scenario = load(name)
    runner, faults = started(scenario)
    worst(runner, scenario)
    in_force = set(map(str, faults.active))
    own = {cure.action for cure in scenario.cures}
    for action in (*ACTIONS, *(turn.action for turn in scenario.wrong_turns), "step:db-vacuum", "done:x"):
        if action not in own:
            runner.observe(action)
    assert in_force <= set(map(str, faults.active))
    assert "cured" not in kinds(runner)


@pytest.mark.parametrize("name", names())
def test_each_cure_is_needed(name: str) -> None:
    scenario = load(name)
    for order in itertools.permutations(scenario.cures):
        runner, faults = started(scenario)
        worst(runner, scenario)
        for cure in order[:-1]:
            runner.observe(cure.action)
            assert "cured" not in kinds(runner)
        runner.observe(order[-1].action)
        assert faults.active == ()


def test_a_cure_takes_its_part_and_later_phases_do_not_bring_it_back() -> None:
    scenario = load("auth-failing")
    runner, faults = started(scenario)
    runner.inject()
    runner.observe("done:auth-rate-limits")
    assert faults.active == ()
    runner.observe("done:auth-rate-limits")
    assert kinds(runner).count("cure") == 1


def test_a_relapse_brings_it_back_and_it_can_be_cured_again() -> None:
    scenario = load("redirect-down")
    runner, faults = started(scenario)
    worst(runner, scenario)
    runner.observe("deployment:older")
    runner.observe("deployment:newest")
    assert kinds(runner)[-4:] == ["cured", "danger", "relapse", "phase"]
    assert faults.active
    runner.observe("deployment:older")
    assert faults.active == ()


async def test_a_cure_in_good_time_keeps_it_from_coming() -> None:
    scenario = load("redirect-down")
    runner, faults = started(scenario, speed=1000, by_hand=False)
    runner.begin()
    runner.observe("deployment:older")
    await asyncio.sleep(0.2)
    assert faults.active == ()
    assert "outage" not in kinds(runner)


async def test_people_ask_and_hints_come_unless_it_is_quiet() -> None:
    scenario = load("redirect-down")
    loud, _ = started(scenario, speed=1000, by_hand=False)
    quiet, faults = started(scenario, speed=1000, by_hand=False, quiet=True)
    loud.begin()
    quiet.begin()
    await until(lambda: kinds(loud).count("message") == 3 and kinds(loud).count("hint") == 2)
    await until(lambda: kinds(quiet).count("hint") == 2)
    assert "message" not in kinds(quiet)
    said = next(entry for entry in loud.log if entry.kind == "message")
    assert (said.who, said.text) == ("Support", "Three customers say their links do not work. Is it us?")
    await until(lambda: "inject" in kinds(loud))
    assert not faults.link_lost
    loud.observe("deployment:older")
    assert not loud.state()["faults"], "what came between goes with it"
    loud.close()
    quiet.close()
    assert kinds(loud)[-1] == "ended"


async def test_an_injected_fault_lasts_as_long_as_it_says() -> None:
    scenario = load("redirect-down")
    link = scenario.injects[-1].model_copy(update={"for_s": 0.2})
    runner, faults = started(scenario.model_copy(update={"injects": (link,)}), speed=1000, by_hand=False)
    runner.begin()
    await until(lambda: faults.link_lost)
    await until(lambda: not faults.link_lost)
    assert faults.active, "the outage itself goes on"
    runner.close()


def test_a_wrong_turn_may_make_it_worse() -> None:
    scenario = load("redirect-down")
    turn = scenario.wrong_turns[0].model_copy(update={"worse": (LinkLost(),)})
    runner, faults = started(scenario.model_copy(update={"wrong_turns": (turn,)}))
    runner.inject()
    runner.observe(turn.action)
    runner.observe(turn.action)
    assert faults.active.count(LinkLost()) == 1
    assert Cure(action="x*", title="x").is_done_by("xy")


@pytest.mark.parametrize("name", names())
def test_what_makes_it_worse_lasts_until_it_is_cured(name: str) -> None:
    scenario = load(name)
    turns = [turn for turn in scenario.wrong_turns if turn.worse]
    assert turns, "in life each of them can be made worse"
    for turn in turns:
        runner, faults = started(scenario)
        worst(runner, scenario)
        action = turn.action.replace("*", "postgrest")
        runner.observe(action)
        assert set(turn.worse) <= set(faults.active)
        assert runner.log[-1].text == turn.text
        cure_all(runner, scenario)
        assert faults.active == (), "the right step heals this too"


def test_an_alarm_counts_once_and_only_in_an_outage() -> None:
    runner, _ = started(load("payments"))
    runner.alarm()
    runner.inject()
    runner.alarm()
    runner.alarm()
    assert kinds(runner).count("alarm") == 1
