"""The six outages: each a known issue, healed by the runbook's right step and by nothing else."""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import asyncpg
import pytest

from isla_console.drill import control
from isla_console.drill.entry import Entry
from isla_console.drill.faults import DayMissing, Faults, LinkLost, PaymentsFail
from isla_console.drill.neighbour import Neighbour
from isla_console.drill.run import Platform
from isla_console.drill.scenario import Cure, Scenario, load, names
from isla_console.drill.speed import quickened, window
from isla_console.drill.story import Story
from isla_console.drill.stripe import WINDOW_S, Books, per_minute
from isla_console.incident.record.policy import Policy
from isla_console.monitor.stripe.payments import FEW_ATTEMPTS
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.runbook.model import Runbook

# What each cure's pattern stands for, done as the platform would tell it.
DEEDS = ("deployment:older", "sessions:export-worker", "pile-up:root", "rebuilt:1", "event:delivered")


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    return load_runbook(resource("runbook.yaml")).runbook


def told(
    scenario: Scenario, *, speed: float = 1, quiet: bool = False, by_hand: bool = True
) -> tuple[Story, Faults]:
    """A story that breaks at once where it runs by itself."""
    faults = Faults()

    def now() -> datetime:
        return datetime.now(UTC)

    story = Story(scenario, faults, now, healthy_s=0, speed=speed, quiet=quiet, by_hand=by_hand)
    return story, faults


def kinds(story: Story) -> list[str]:
    return [entry.kind for entry in story.log]


def worst(story: Story, scenario: Scenario) -> None:
    """All phases, one after the other."""
    for _ in scenario.phases[1:]:
        story.inject()


def cure_all(story: Story, scenario: Scenario) -> None:
    for cure in scenario.cures:
        story.did(cure.deed)


def test_there_is_one_for_each_issue(runbook: Runbook) -> None:
    assert {load(name).issue for name in names()} == {issue.id for issue in runbook.issues}


@pytest.mark.parametrize("name", names())
def test_it_speaks_of_what_the_runbook_has(name: str, runbook: Runbook) -> None:
    scenario = load(name)
    steps = [step.id for step in runbook.all_steps()]
    for pattern in scenario.cause:
        assert any(fnmatchcase(step, pattern) for step in steps), pattern
    for deed in [cure.deed for cure in scenario.cures] + [turn.deed for turn in scenario.wrong_turns]:
        kind, _, what = deed.partition(":")
        if kind in {"step", "done"}:
            assert any(fnmatchcase(step, what) for step in steps), deed
        else:
            assert kind in {"deployment", "sessions", "rebuilt", "event", "pool", "pile-up"}
    assert scenario.hints, "who is stuck is helped"
    assert scenario.truths, "afterwards it is told"


@pytest.mark.parametrize("name", names())
def test_its_cures_end_it(name: str) -> None:
    scenario = load(name)
    story, faults = told(scenario)
    worst(story, scenario)
    assert faults.active
    cure_all(story, scenario)
    assert faults.active == ()
    assert kinds(story)[-1] == "cured"


@pytest.mark.parametrize("name", names())
def test_nothing_else_ends_it(name: str) -> None:
    scenario = load(name)
    story, faults = told(scenario)
    worst(story, scenario)
    in_force = set(map(str, faults.active))
    own = {cure.deed for cure in scenario.cures}
    for deed in (*DEEDS, *(turn.deed for turn in scenario.wrong_turns), "step:db-vacuum", "done:x"):
        if deed not in own:
            story.did(deed)
    assert in_force <= set(map(str, faults.active))
    assert "cured" not in kinds(story)


@pytest.mark.parametrize("name", names())
def test_each_cure_is_needed(name: str) -> None:
    scenario = load(name)
    for order in itertools.permutations(scenario.cures):
        story, faults = told(scenario)
        worst(story, scenario)
        for cure in order[:-1]:
            story.did(cure.deed)
            assert "cured" not in kinds(story)
        story.did(order[-1].deed)
        assert faults.active == ()


def test_a_cure_takes_its_part_and_later_phases_do_not_bring_it_back() -> None:
    scenario = load("auth-failing")
    story, faults = told(scenario)
    story.inject()
    story.did("done:auth-rate-limits")
    assert faults.active == ()
    story.did("done:auth-rate-limits")
    assert kinds(story).count("cure") == 1


def test_a_relapse_brings_it_back_and_it_can_be_cured_again() -> None:
    scenario = load("redirect-down")
    story, faults = told(scenario)
    worst(story, scenario)
    story.did("deployment:older")
    story.did("deployment:newest")
    assert kinds(story)[-4:] == ["cured", "danger", "relapse", "phase"]
    assert faults.active
    story.did("deployment:older")
    assert faults.active == ()


async def test_a_cure_in_good_time_keeps_it_from_coming() -> None:
    scenario = load("redirect-down")
    story, faults = told(scenario, speed=1000, by_hand=False)
    story.begin()
    story.did("deployment:older")
    await asyncio.sleep(0.2)
    assert faults.active == ()
    assert "outage" not in kinds(story)


async def _until(true: Callable[[], bool | Awaitable[bool]], seconds: float = 5) -> None:
    give_up = time.monotonic() + seconds
    while not (found if isinstance(found := true(), bool) else await found):
        assert time.monotonic() < give_up
        await asyncio.sleep(0.03)


async def test_people_ask_and_hints_come_unless_it_is_quiet() -> None:
    scenario = load("redirect-down")
    loud, _ = told(scenario, speed=1000, by_hand=False)
    quiet, faults = told(scenario, speed=1000, by_hand=False, quiet=True)
    loud.begin()
    quiet.begin()
    await _until(lambda: kinds(loud).count("message") == 3 and kinds(loud).count("hint") == 2)
    await _until(lambda: kinds(quiet).count("hint") == 2)
    assert "message" not in kinds(quiet)
    said = next(entry for entry in loud.log if entry.kind == "message")
    assert (said.who, said.text) == ("Support", "Three customers say their links do not work. Is it us?")
    await _until(lambda: "inject" in kinds(loud))
    assert not faults.link_lost
    loud.did("deployment:older")
    assert not loud.state()["faults"], "what came between goes with it"
    loud.close()
    quiet.close()
    assert kinds(loud)[-1] == "ended"


async def test_an_injected_fault_lasts_as_long_as_it_says() -> None:
    scenario = load("redirect-down")
    link = scenario.injects[-1].model_copy(update={"for_s": 0.2})
    story, faults = told(scenario.model_copy(update={"injects": (link,)}), speed=1000, by_hand=False)
    story.begin()
    await _until(lambda: faults.link_lost)
    await _until(lambda: not faults.link_lost)
    assert faults.active, "the outage itself goes on"
    story.close()


def test_a_wrong_turn_may_make_it_worse() -> None:
    scenario = load("redirect-down")
    turn = scenario.wrong_turns[0].model_copy(update={"worse": (LinkLost(),)})
    story, faults = told(scenario.model_copy(update={"wrong_turns": (turn,)}))
    story.inject()
    story.did(turn.deed)
    story.did(turn.deed)
    assert faults.active.count(LinkLost()) == 1
    assert Cure(deed="x*", title="x").is_done_by("xy")


@pytest.mark.parametrize("name", names())
def test_what_makes_it_worse_lasts_until_it_is_cured(name: str) -> None:
    scenario = load(name)
    turns = [turn for turn in scenario.wrong_turns if turn.worse]
    assert turns, "in life each of them can be made worse"
    for turn in turns:
        story, faults = told(scenario)
        worst(story, scenario)
        deed = turn.deed.replace("*", "postgrest")
        story.did(deed)
        assert set(turn.worse) <= set(faults.active)
        assert story.log[-1].text == turn.text
        cure_all(story, scenario)
        assert faults.active == (), "the right step heals this too"


async def test_ending_a_pools_sessions_makes_it_worse_for_real(drill_platform: Platform) -> None:
    """Sessions of a pool that was well are ended: it comes back, and its clients hold more than before."""
    url = drill_platform.control_url
    turn = next(turn for turn in load("redirect-down").wrong_turns if turn.deed == "pool:*")
    more = sum(fault.count for fault in turn.worse if fault.kind == "connections")
    connection = await asyncpg.connect(drill_platform.variables["ISLA_DATABASE_ADMIN_URL"])

    async def held(application: str) -> int:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", application
        )
        return count

    try:
        assert (await control.inject(url)).ok
        before, pool = await held("isla-app"), await held("postgrest")
        assert pool
        await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postgrest'"
        )

        async def is_worse() -> bool:
            return await held("isla-app") == before + more and await held("postgrest") == pool

        await _until(is_worse, 30)
        log = (await control.story(url)).entries
        assert [entry.text for entry in log if entry.kind == "danger"][-1:] == [turn.text]
        assert (await control.heal(url)).ok

        async def is_as_before() -> bool:
            return await held("isla-app") == before

        await _until(is_as_before, 30)
    finally:
        await connection.close()


def test_an_alarm_counts_once_and_only_in_an_outage() -> None:
    story, _ = told(load("payments"))
    story.alarm()
    story.inject()
    story.alarm()
    story.alarm()
    assert kinds(story).count("alarm") == 1


def test_entries_survive_json() -> None:
    entry = Entry(datetime.now(UTC), "message", "ETA?", "CTO")
    assert Entry.from_dict(entry.to_dict()) == entry


@pytest.mark.parametrize("speed", [1, 10, 120])
def test_a_quick_drill_shortens_the_rules_and_says_so(speed: float, runbook: Runbook) -> None:
    quick = quickened(runbook, speed)
    slow, fast = Policy.from_dict(runbook.policy()), Policy.from_dict(quick.policy())
    for severity, rule in slow.severities.items():
        short = fast.severities[severity]
        assert short.soak_min == rule.soak_min / speed
        assert short.postmortem_h == rule.postmortem_h, "a post-mortem takes as long as it takes"
        for level, due in rule.ladder.items():
            assert short.ladder[level] == (None if due is None else due / speed)
    assert fast.nag_min == tuple(nag / speed for nag in slow.nag_min)
    for before, after in zip(runbook.metrics, quick.metrics, strict=True):
        assert after.source.window_s <= before.source.window_s
        assert after.source.window_s >= min(15, before.source.window_s)
        assert after.every_s == before.every_s
    assert f"÷ {speed:g}" in quick.escalation.levels[1].range


@pytest.mark.parametrize("speed", [1, 2, 10, 30, 60, 120])
def test_the_quick_window_of_payments_holds_enough_of_them(speed: float, runbook: Runbook) -> None:
    """A rate of few attempts is stale; by chance alone none is bad: a soak would never end."""
    metric = next(one for one in runbook.metrics if one.source.kind == "stripe")
    assert window(metric.source.window_s, 1) == WINDOW_S
    short_s = window(metric.source.window_s, speed)
    books = Books(Faults(), random.Random(7), window_s=short_s)
    now = time.time()
    times = [one["created"] for one in books.charges]
    assert times == sorted(times, reverse=True), "newest first"
    newest = [one for one in books.charges if one["created"] > now - short_s]
    assert len(newest) >= 3 * FEW_ATTEMPTS - 3
    assert 100 * sum(one["status"] == "succeeded" for one in newest) / len(newest) > 95
    assert per_minute(short_s) == max(7, 60 * 60 / short_s)


async def test_payments_go_on_as_they_were_and_are_tried_again_while_they_fail() -> None:
    faults = Faults()
    books = Books(faults, random.Random(7), quiet=True, window_s=30)
    task = asyncio.create_task(books.live())
    try:
        await _until(lambda: len(books.charges) >= 4)
        assert {one["status"] for one in books.charges} == {"succeeded"}
        faults.add(PaymentsFail(share=1))
        before = len(books.charges)
        await _until(lambda: len(books.charges) >= before + 4)
        assert [one["status"] for one in books.charges][:3] == ["failed"] * 3
    finally:
        task.cancel()


async def test_while_the_link_is_lost_nobody_listens() -> None:
    faults = Faults()
    neighbour = Neighbour(faults)
    port = await neighbour.open()
    task = asyncio.create_task(neighbour.run())

    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    async def refuses() -> bool:
        return not await answers()

    try:
        await _until(answers)
        faults.add(LinkLost())
        await _until(refuses)
        faults.replace(())
        await _until(answers)
    finally:
        task.cancel()


async def _yesterday(platform: Platform) -> int:
    connection = await asyncpg.connect(platform.variables["ISLA_DATABASE_URL"])
    try:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM analytics_daily WHERE date = (now() AT TIME ZONE 'UTC')::date - 1"
        )
        return count
    finally:
        await connection.close()


async def test_a_missing_day_is_missing_and_comes_back_when_switched_off(drill_platform: Platform) -> None:
    url = drill_platform.control_url
    before = await _yesterday(drill_platform)
    assert before > 100

    async def is_gone() -> bool:
        return await _yesterday(drill_platform) == 0

    async def is_back() -> bool:
        return await _yesterday(drill_platform) == before

    assert (await control.inject(url, DayMissing().model_dump())).ok
    await _until(is_gone, 8)
    assert (await control.heal(url)).ok
    await _until(is_back, 8)


async def test_clicks_stored_twice_are_what_the_runbook_finds(
    drill_platform: Platform, runbook: Runbook
) -> None:
    step = next(step for step in runbook.all_steps() if step.id == "analytics-duplicates")
    assert step.run is not None
    query = step.run
    connection = await asyncpg.connect(drill_platform.variables["ISLA_DATABASE_URL"])

    async def found() -> list[int]:
        return [row["count"] for row in await connection.fetch(query) if row["visitor_id"] is not None]

    try:
        assert await found() == []
        fault = next(one for one in load("analytics").phases[1].faults if one.kind == "duplicates")
        assert (await control.inject(drill_platform.control_url, fault.model_dump())).ok

        async def doubled() -> bool:
            return await found() == [2] * fault.count

        await _until(doubled, 8)
    finally:
        await connection.close()


async def test_many_queries_make_the_application_slow_for_real(drill_platform: Platform) -> None:
    import httpx

    url = drill_platform.variables["ISLA_APP_URL"]

    async def seconds() -> float:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            answer = await client.get(f"{url}/api/health")
            assert answer.status_code == 200
            return answer.elapsed.total_seconds()

    quick = min([await seconds() for _ in range(3)])
    await control.inject(drill_platform.control_url, {"kind": "many_queries", "count": 3000})
    assert min([await seconds() for _ in range(2)]) > 2 * quick
