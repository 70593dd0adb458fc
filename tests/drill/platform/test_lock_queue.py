"""The leak and the pile-up: ending the leaked sessions and the root of the tree is the cure."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from isla_console.drill import client, launch
from tests.support.platform import environment
from tests.support.waiting import until

pytestmark = pytest.mark.slow

LEAKED = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'export-worker'"
END = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE application_name = 'export-worker'"


async def refused(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.TooManyConnectionsError:
        return True
    await connection.close()
    return False


async def piled_up(admin: asyncpg.Connection[Any]) -> tuple[int | None, int]:
    """The pid at the root of the tree, and how many wait."""
    row = await admin.fetchrow(
        "SELECT min(pid) FILTER (WHERE application_name = 'psql' AND state = 'idle in transaction') AS root,"
        " count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting FROM pg_stat_activity"
    )
    assert row is not None
    return row["root"], row["waiting"]


async def healed(url: str) -> bool:
    return not (await client.state(url)).faults


async def test_ending_the_leaked_sessions_ends_the_outage(tmp_path: Path) -> None:
    with launch.start(
        "db-connections", lambda line: None, environ=environment(tmp_path), healthy_s=0.5, speed=20
    ) as platform:
        # Opened before there is no slot left, like the console's.
        kept = await asyncpg.connect(platform.variables["ISLA_DATABASE_ADMIN_URL"])
        await until(lambda: refused(platform.variables["ISLA_DATABASE_URL"]))
        assert await kept.fetchval(LEAKED) > 60
        await kept.execute(END)

        async def cured() -> bool:
            # What was still being opened leaks on: it is ended like the rest.
            await kept.execute(END)
            return await healed(platform.control_url)

        async def stands() -> bool:
            return await piled_up(kept) == (root, 6)

        async def is_free() -> bool:
            return (await piled_up(kept))[1] == 0

        async def has_root() -> bool:
            return (await piled_up(kept))[0] is not None

        await until(has_root)
        root, _ = await piled_up(kept)
        await until(stands)
        tree_of = "SELECT pg_blocking_pids(pid) FROM pg_stat_activity WHERE application_name = 'migration'"
        assert await kept.fetchval(tree_of) == [root]
        # Who ends the migration sees it come back.
        await kept.execute(f"SELECT pg_terminate_backend(pid, 2000) {'FROM' + tree_of.partition('FROM')[2]}")
        await until(stands)
        assert (await client.state(platform.control_url)).faults, "the leak alone is not all of it"
        await kept.execute("SELECT pg_terminate_backend($1, 2000)", root)
        await until(is_free)
        await until(cured)
        await asyncio.sleep(1.5)
        assert await kept.fetchval(LEAKED) == 0
        await kept.close()
