"""The leak of connections: ending its sessions is the cure, and they do not come back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from isla_console.drill import control, run
from tests.support.platform import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LEAKED = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'export-worker'"
END = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE application_name = 'export-worker'"


async def until(question: Callable[[], Awaitable[bool]], seconds: float = 40.0) -> None:
    async with asyncio.timeout(seconds):
        while not await question():  # noqa: ASYNC110 - a server has no event to wait for
            await asyncio.sleep(0.1)


async def refused(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.TooManyConnectionsError:
        return True
    await connection.close()
    return False


async def healed(url: str) -> bool:
    return not (await control.state(url)).faults


async def test_ending_the_leaked_sessions_ends_the_outage(tmp_path: Path) -> None:
    with run.start(
        "db-connections", lambda line: None, environ=environment(tmp_path), healthy_s=0.5, speed=20
    ) as platform:
        # Opened before there is no slot left, like the console's.
        kept = await asyncpg.connect(platform.variables["ISLA_DATABASE_ADMIN_URL"])
        await until(lambda: refused(platform.variables["ISLA_DATABASE_URL"]))
        assert await kept.fetchval(LEAKED) > 60
        await kept.execute(END)
        await until(lambda: healed(platform.control_url))
        await asyncio.sleep(1.5)
        assert await kept.fetchval(LEAKED) == 0
        await kept.close()
