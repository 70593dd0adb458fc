"""Faults made real: rows, sessions and answers that a client of the platform sees."""

import asyncpg

from isla_console.drill import client
from isla_console.drill.launch import Platform
from isla_console.drill.scenario.faults import DayMissing
from isla_console.drill.scenario.model import load
from isla_console.runbook.model import Runbook
from tests.support.waiting import until


async def test_ending_a_pools_sessions_makes_it_worse_for_real(drill_platform: Platform) -> None:
    """Sessions of a pool that was well are ended: it comes back, and its clients hold more than before."""
    url = drill_platform.control_url
    turn = next(turn for turn in load("redirect-down").wrong_turns if turn.action == "pool:*")
    more = sum(fault.count for fault in turn.worse if fault.kind == "connections")
    connection = await asyncpg.connect(drill_platform.variables["ISLA_DATABASE_ADMIN_URL"])

    async def held(application: str) -> int:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", application
        )
        return count

    try:
        assert (await client.inject(url)).ok
        before, pool = await held("isla-app"), await held("postgrest")
        assert pool
        await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postgrest'"
        )

        async def is_worse() -> bool:
            return await held("isla-app") == before + more and await held("postgrest") == pool

        await until(is_worse)
        log = (await client.progress(url)).entries
        assert [entry.text for entry in log if entry.kind == "danger"][-1:] == [turn.text]
        assert (await client.heal(url)).ok

        async def is_as_before() -> bool:
            return await held("isla-app") == before

        await until(is_as_before)
    finally:
        await connection.close()


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

    assert (await client.inject(url, DayMissing().model_dump())).ok
    await until(is_gone)
    assert (await client.heal(url)).ok
    await until(is_back)


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
        assert (await client.inject(drill_platform.control_url, fault.model_dump())).ok

        async def doubled() -> bool:
            return await found() == [2] * fault.count

        await until(doubled)
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
    await client.inject(drill_platform.control_url, {"kind": "many_queries", "count": 3000})
    assert min([await seconds() for _ in range(2)]) > 2 * quick
