"""The runbook's SQL on a real PostgreSQL: every statement runs, and the dangerous ones do what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from isla_console.monitor.cron import problem_of
from isla_console.runbook.load import Loaded
from isla_console.runbook.model import Step
from isla_console.text.times import clock_text
from tests.sql.conftest import Server, running
from tests.support.waiting import until

pytestmark = pytest.mark.slow

SCHEMA = """
CREATE TABLE click_events (id bigserial PRIMARY KEY, slug text, visitor_id text, created_at timestamptz);
CREATE TABLE analytics_daily (date date, slug text, clicks bigint, PRIMARY KEY (date, slug));
CREATE TABLE subscriptions (id text, status text, updated_at timestamptz);
CREATE SCHEMA cron;
CREATE TABLE cron.job (jobid bigint, jobname text, schedule text, active boolean);
CREATE TABLE cron.job_run_details (
    runid bigserial PRIMARY KEY, jobid bigint, status text, return_message text,
    start_time timestamptz, end_time timestamptz
);
ALTER TABLE cron.job ENABLE ROW LEVEL SECURITY;
ALTER TABLE cron.job_run_details ENABLE ROW LEVEL SECURITY;
CREATE ROLE app LOGIN PASSWORD '{password}';
CREATE ROLE watcher LOGIN PASSWORD '{password}';
GRANT pg_read_all_data TO watcher;
-- January 2024, ten minutes apart, from the first instant to the last hour.
INSERT INTO click_events (slug, visitor_id, created_at)
SELECT 's' || i % 5, 'v' || i, timestamptz '2024-01-01 00:00+00' + i * interval '10 minutes'
FROM generate_series(0, 31 * 144 - 1) i;
"""
JANUARY = 31 * 144
FIRST, LAST = date(2024, 1, 1), date(2024, 1, 31)
NOW = datetime(2024, 1, 1, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "IDLE_MINUTES": 10,
    "SESSION_PID": 1,
    "SESSION_STARTED": NOW,
    "SESSION_IDLE_SINCE": NOW,
    "FROM_DATE": FIRST,
    "TO_DATE": LAST,
    "DAY": LAST,
}


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with running("embedded") as server:
        yield server.url().reveal()


@pytest.fixture(scope="module")
def _filled(dsn: str) -> None:
    async def fill() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(SCHEMA.replace("{password}", Server.password))
        await connection.close()

    asyncio.run(fill())


@pytest.fixture
async def console(dsn: str, _filled: None) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "isla-console/ana@jump1"})
    # Days must not follow the session's time zone.
    await connection.execute("SET TimeZone = 'America/New_York'")
    yield connection
    await connection.close()


async def run(connection: asyncpg.Connection[Any], step: Step, **values: Any) -> list[asyncpg.Record]:
    return await connection.fetch(step.run or "", *({**VALUES, **values}[name] for name in step.params))


async def test_every_statement_runs(shipped: Loaded, console: asyncpg.Connection[Any]) -> None:
    steps = [step for step in shipped.runbook.all_steps() if step.kind == "sql"]
    assert len(steps) >= 20
    for step in steps:
        await run(console, step)


async def test_reads_run_in_a_read_only_transaction(
    shipped: Loaded, console: asyncpg.Connection[Any]
) -> None:
    for step in shipped.runbook.all_steps():
        if step.kind == "sql" and step.effect == "read":
            async with console.transaction(readonly=True):
                await run(console, step)


async def test_rebuild_gives_every_click_once(shipped: Loaded, console: asyncpg.Connection[Any]) -> None:
    preview = shipped.runbook.step("analytics-rebuild-preview")
    rebuild = shipped.runbook.step("analytics-rebuild")
    await console.execute("TRUNCATE analytics_daily")
    days = await run(console, preview)
    assert [row["date"] for row in days] == [date(2024, 1, day) for day in range(1, 32)]
    for row in days:
        await run(console, rebuild, DAY=row["date"])
    assert await console.fetchval("SELECT sum(clicks) FROM analytics_daily") == JANUARY
    assert await run(console, preview) == []


async def test_preview_warns_of_pruned_clicks(shipped: Loaded, console: asyncpg.Connection[Any]) -> None:
    preview = shipped.runbook.step("analytics-rebuild-preview")
    await console.execute("TRUNCATE analytics_daily")
    await console.execute(
        "INSERT INTO analytics_daily VALUES ('2024-01-31', 's1', 5000), ('2024-01-31', 'gone', 3)"
    )
    [row] = [row for row in await run(console, preview) if row["date"] == LAST]
    assert (row["missing"], row["orphan"], row["differ"], row["would_shrink"]) == (4, 1, 1, 1)


async def test_one_session_is_ended_and_only_if_it_is_the_one_seen(
    shipped: Loaded, console: asyncpg.Connection[Any], dsn: str
) -> None:
    idle = await asyncpg.connect(dsn, user="app")
    other = await asyncpg.connect(dsn, user="app")
    listed = await run(console, shipped.runbook.step("db-idle-sessions"), IDLE_MINUTES=0)
    pids = {row["pid"] for row in listed}
    assert {idle.get_server_pid(), other.get_server_pid()} <= pids
    assert console.get_server_pid() not in pids
    [seen] = [row for row in listed if row["pid"] == idle.get_server_pid()]
    end = shipped.runbook.step("db-end-session")
    named = {"SESSION_PID": seen["pid"], "SESSION_STARTED": seen["backend_start"]}

    # It has worked since it was seen: no longer the same.
    await idle.fetchval("SELECT 1")
    assert await run(console, end, **named, SESSION_IDLE_SINCE=seen["state_change"]) == []

    [seen] = [
        row
        for row in await run(console, shipped.runbook.step("db-idle-sessions"), IDLE_MINUTES=0)
        if row["pid"] == idle.get_server_pid()
    ]
    [ended] = await run(console, end, **named, SESSION_IDLE_SINCE=seen["state_change"])
    assert ended["ended"] is True
    await until(idle.is_closed)
    with pytest.raises(asyncpg.InterfaceError):
        await idle.fetchval("SELECT 1")
    assert await other.fetchval("SELECT 1") == 1
    await other.close()


async def test_connections_agree_without_pg_monitor(
    shipped: Loaded, console: asyncpg.Connection[Any], dsn: str
) -> None:
    query = shipped.runbook.metric("db-connections").source.query or ""
    watcher = await asyncpg.connect(dsn, user="watcher")
    full, partial = await console.fetchrow(query), await watcher.fetchrow(query)
    await watcher.close()
    assert full is not None
    assert partial is not None
    assert full["value"] == partial["value"] >= 2
    assert (full["hidden"], partial["hidden"]) == (0, full["value"] - 1)


async def test_click_lag(shipped: Loaded, console: asyncpg.Connection[Any]) -> None:
    query = shipped.runbook.metric("click-lag").source.query or ""
    assert await console.fetchval(query) is None  # no click within a day
    async with console.transaction():
        await console.execute(
            "INSERT INTO click_events (slug, created_at) VALUES ('s1', now() - interval '7 s')"
        )
        assert await console.fetchval(query) == pytest.approx(7)
        await console.execute("DELETE FROM click_events WHERE created_at > now() - interval '1 day'")


@pytest.fixture
async def cron(console: asyncpg.Connection[Any]) -> AsyncIterator[asyncpg.Connection[Any]]:
    """cron's tables to fill; what was filled in is gone afterwards."""
    transaction = console.transaction()
    await transaction.start()
    yield console
    await transaction.rollback()


async def jobs_problem(shipped: Loaded, connection: asyncpg.Connection[Any]) -> str | None:
    [check] = [one for one in shipped.runbook.database_checks if one.id == "scheduled-jobs"]
    return problem_of(await connection.fetch(check.query)) or None


async def ran(
    connection: asyncpg.Connection[Any],
    job: int,
    status: str,
    message: str | None = None,
    ago: timedelta = timedelta(),
) -> datetime:
    """A job's record of a run that began so long ago; when that was."""
    began: datetime = await connection.fetchval(
        "INSERT INTO cron.job_run_details (jobid, status, return_message, start_time)"
        " VALUES ($1, $2, $3, now() - $4::interval) RETURNING start_time",
        job, status, message, ago,
    )  # fmt: skip
    return began.astimezone(UTC)


async def test_a_job_is_told_of_while_its_last_run_failed(
    shipped: Loaded, cron: asyncpg.Connection[Any]
) -> None:
    await cron.execute(
        "INSERT INTO cron.job VALUES (1, 'sum', '* * * * *', true), (2, 'old', '* * * * *', false),"
        " (3, NULL, '* * * * *', true)"
    )
    assert await jobs_problem(shipped, cron) is None  # nothing ran yet
    await ran(cron, 1, "succeeded")
    await ran(cron, 2, "failed", "nobody runs it any more")
    assert await jobs_problem(shipped, cron) is None
    began = await ran(cron, 1, "failed", "ERROR:  deadlock\nDETAIL: long")
    said = f"sum failed at {began:%H:%MZ}"
    assert await jobs_problem(shipped, cron) == f"{said}: ERROR:  deadlock"
    await ran(cron, 1, "running")
    assert await jobs_problem(shipped, cron) == f"{said}: ERROR:  deadlock"
    await ran(cron, 1, "succeeded")
    assert await jobs_problem(shipped, cron) is None
    await ran(cron, 1, "failed")
    assert await jobs_problem(shipped, cron) == said
    await ran(cron, 3, "failed", "it has no name")
    assert await jobs_problem(shipped, cron) == f"job 3 failed at {began:%H:%MZ}: it has no name"


HOUR = timedelta(hours=1)


async def test_a_scheduler_that_stopped_is_told_of_once_and_before_an_old_failure(
    shipped: Loaded, cron: asyncpg.Connection[Any]
) -> None:
    await cron.execute(
        "INSERT INTO cron.job VALUES (1, 'sum', '* * * * *', true), (2, 'tidy', '0 * * * *', true),"
        " (3, 'new', '* * * * *', true), (4, 'off', '* * * * *', false), (5, 'long', '* * * * *', true)"
    )
    await ran(cron, 2, "succeeded", ago=5 * HOUR)
    await ran(cron, 4, "succeeded", ago=5 * HOUR)
    await ran(cron, 5, "running", ago=5 * HOUR)
    began = await ran(cron, 1, "failed", "disk full", ago=4 * HOUR)
    # Neither the one that never ran, nor the one switched off, nor the one that still runs.
    said = f"sum has not run since {began:%Y-%m-%d %H:%MZ} (* * * * *), nor have 1 more:"
    assert await jobs_problem(shipped, cron) == f"{said} is the scheduler running?"
    await cron.execute("SET LOCAL cron.log_run = 'off'")
    assert (
        await jobs_problem(shipped, cron)
        == f"sum failed at {clock_text(began, datetime.now(UTC))}: disk full"
    )
    await cron.execute("SET LOCAL cron.log_run = 'on'")
    await ran(cron, 1, "succeeded")
    await ran(cron, 2, "succeeded")
    assert await jobs_problem(shipped, cron) is None


@pytest.mark.usefixtures("_filled")
async def test_who_may_not_see_crons_rows_is_refused(shipped: Loaded, dsn: str) -> None:
    watcher = await asyncpg.connect(dsn, user="watcher", server_settings={"row_security": "off"})
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await jobs_problem(shipped, watcher)
    await watcher.close()
