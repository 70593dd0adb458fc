"""The runbook's statements through the pane's engine, on each server, against what was planted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.runbook.model import Runbook
from isla_console.sql.classify import classify
from isla_console.sql.engine import SqlEngine
from isla_console.sql.queries import query
from tests.sql.conftest import Server

pytestmark = pytest.mark.slow

PLANTED = """
CREATE TABLE click_events (id bigserial PRIMARY KEY, slug text, visitor_id text, created_at timestamptz);
CREATE TABLE analytics_daily (date date, slug text, clicks bigint, PRIMARY KEY (date, slug));
CREATE TABLE subscriptions (id text, status text, updated_at timestamptz);
CREATE SCHEMA cron;
CREATE TABLE cron.job (jobid bigint, jobname text, schedule text, active boolean);
CREATE TABLE cron.job_run_details (
    jobid bigint, status text, return_message text, start_time timestamptz, end_time timestamptz
);
INSERT INTO click_events (slug, visitor_id, created_at)
SELECT 's' || i % 5, 'v' || i, timestamptz '2024-01-01 00:00+00' + i * interval '10 minutes'
FROM generate_series(0, 31 * 144 - 1) i;
INSERT INTO click_events (slug, visitor_id, created_at)
SELECT 'twice', 'v', date_trunc('second', now()) - interval '1 minute' FROM generate_series(1, 2);
INSERT INTO analytics_daily
VALUES ('2024-01-31', 's1', 1), ('2024-01-30', 's1', 9999), ('2024-01-02', 'gone', 4);
INSERT INTO subscriptions
SELECT i, CASE WHEN i < 8 THEN 'active' ELSE 'past_due' END, now() - i * interval '20 min'
FROM generate_series(1, 10) i;
INSERT INTO cron.job VALUES (1, 'aggregate', '* * * * *', true);
INSERT INTO cron.job_run_details VALUES
  (1, 'succeeded', '', now() - interval '3 hours', now() - interval '3 hours'),
  (1, 'failed', 'disk full', now() - interval '1 hour', now() - interval '59 minutes');
"""
VALUES = {"FROM_DATE": "2024-01-01", "TO_DATE": "2024-01-31", "DAY": "2024-01-31", "IDLE_MINUTES": "10",
          "SESSION_PID": "1", "SESSION_STARTED": "2024-01-01T00:00:00Z",
          "SESSION_IDLE_SINCE": "2024-01-01T00:00:00Z"}  # fmt: skip


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    return load_runbook(resource("runbook.yaml")).runbook


@pytest.fixture
async def planted(server: Server, admin: Any) -> AsyncIterator[SqlEngine]:
    await admin.execute("DROP DATABASE IF EXISTS planted (FORCE)")
    await admin.execute("CREATE DATABASE planted")
    connection = await server.connect("planted")
    await connection.execute(PLANTED)
    await connection.close()
    engine = server.engine("planted")
    yield engine
    await engine.close()


async def test_every_statement_that_reads_runs_and_the_others_are_refused(
    planted: SqlEngine, runbook: Runbook
) -> None:
    seen = 0
    for step in runbook.all_steps():
        if step.kind != "sql" or not step.run or step.blocked:
            continue
        seen += 1
        result = await planted.run(step.run, [VALUES[name] for name in step.params])
        if step.effect == "read":
            assert result.ok, (step.id, result.refused, result.error)
        else:
            assert result.refused, step.id
            assert classify(step.run).kind in {"write", "maintenance", "admin"}
    assert seen >= 18


async def test_the_panes_own_questions_run(planted: SqlEngine) -> None:
    for name in ("sessions", "health", "progress"):
        rows = await planted.session.rows(query(name), deadline_s=5)
        assert rows is not None


async def test_what_was_planted_is_found(planted: SqlEngine, runbook: Runbook) -> None:
    async def ask(step_id: str) -> list[dict[str, Any]]:
        step = runbook.step(step_id)
        result = await planted.run(step.run or "", [VALUES[name] for name in step.params])
        assert result.ok, result.error
        return result.records()

    headroom = (await ask("db-headroom"))[0]
    assert headroom["max"] == 24
    assert headroom["hidden"] == 0
    assert headroom["client"] >= 2
    assert (await ask("db-size"))[0]["database"] == "planted"
    assert [row["return_message"] for row in await ask("analytics-cron")] == ["disk full"]
    assert (await ask("analytics-jobs"))[0]["failed_24h"] == 1
    doubles = await ask("analytics-duplicates")
    assert [(row["slug"], row["count"]) for row in doubles] == [("twice", 2)]
    days = {str(row["date"]): row for row in await ask("analytics-rebuild-preview")}
    assert days["2024-01-30"]["would_shrink"] == 1
    assert days["2024-01-31"]["would_shrink"] == 0
    assert days["2024-01-31"]["differ"] == 1
    assert days["2024-01-02"]["orphan"] == 1
    assert len(days) == 31
