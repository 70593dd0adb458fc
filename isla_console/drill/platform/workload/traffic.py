"""Life on the platform: visitors who follow links, and the scheduler's jobs."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from isla_console.drill.platform.postgres.database import Database
from isla_console.drill.platform.services.redirects import Redirects
from isla_console.drill.scenario.faults import Faults

_VISITS_PER_S = 5.0
_MOST_WAITING = 200
_JOB_FAILURE = "ERROR:  canceling statement due to statement timeout\n"


async def visitors(redirects: Redirects, rng: random.Random) -> None:
    """Follow about five links a second until cancelled, popular ones more often."""
    async with asyncio.TaskGroup() as waiting:
        under_way: set[asyncio.Task[Any]] = set()
        while True:
            await asyncio.sleep(rng.uniform(0.4, 1.6) / _VISITS_PER_S)
            if len(under_way) >= _MOST_WAITING:
                continue
            slug = redirects.slugs[int(len(redirects.slugs) * rng.random() ** 3)]
            visit = waiting.create_task(redirects.follow(slug, click=True))
            under_way.add(visit)
            visit.add_done_callback(under_way.discard)


async def scheduler(database: Database, faults: Faults) -> None:
    """Run pg_cron's job at each full minute until cancelled, and record it as pg_cron does.

    It also runs at once when a fault makes it fail or succeed again, so that nobody waits for the minute.
    """
    changed = asyncio.Event()
    faults.on_change(changed.set)
    failed = faults.jobs_failing
    while True:
        now = datetime.now(UTC)
        minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        while (left := (minute - datetime.now(UTC)).total_seconds()) > 0 and failed == faults.jobs_failing:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), left)
            changed.clear()
        failed = faults.jobs_failing
        await _run_job(database, fails=failed)


async def _run_job(database: Database, *, fails: bool) -> None:
    try:
        connection = await database.connect("postgres", "pg_cron")
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return
    try:
        # In pg_cron the superuser writes the record; here the job's owner does.
        if not fails:
            await connection.execute("SELECT public.aggregate_clicks()")
        await connection.execute(
            "INSERT INTO cron.job_run_details (jobid, job_pid, database, username, command,"
            " status, return_message, start_time, end_time)"
            " SELECT jobid, pg_backend_pid(), database, username, command, $1, $2,"
            " now() - interval '50 milliseconds', now()"
            " FROM cron.job WHERE jobname = 'aggregate-clicks'",
            *(("failed", _JOB_FAILURE) if fails else ("succeeded", "1 row")),
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return
    finally:
        await connection.close(timeout=2)
