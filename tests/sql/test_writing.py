"""Writes in sight: counts, samples, commit, roll back, by itself; maintenance outside a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from isla_console.sql.database import Database
from isla_console.sql.engine import pane_session
from isla_console.sql.values import text
from isla_console.sql.writing import PendingWrite, Writer
from tests.sql.conftest import Server
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow


@pytest.fixture
async def writer(server: Server, admin: Any) -> AsyncIterator[Writer]:
    await admin.execute(
        "DROP TABLE IF EXISTS w; CREATE TABLE w (id int PRIMARY KEY, a text);"
        "INSERT INTO w SELECT i, 'old' FROM generate_series(1, 10) i"
    )
    found = Writer(pane_session(server.url(), "isla-console/ana@jump1", "X"), decide_s=0.3)
    yield found
    await found.session.close()
    await admin.execute("DROP TABLE IF EXISTS w")


def decider(writer: Writer, seen: list[PendingWrite], commit: bool) -> Callable[[PendingWrite], None]:
    def show(change: PendingWrite) -> None:
        seen.append(change)
        asyncio.get_running_loop().call_later(0.05, writer.decide, commit)

    return show


async def _new(admin: Any) -> int:
    return int(await admin.fetchval("SELECT count(*) FROM w WHERE a = 'new'"))


async def test_an_update_shows_what_it_did_before_it_is_committed(writer: Writer, admin: Any) -> None:
    seen: list[PendingWrite] = []
    result = await writer.write(
        "UPDATE w SET a = 'new' WHERE id <= $1::int -- why\n;", ("7",), 10, decider(writer, seen, True)
    )
    assert result.ok, (result.error, result.refused)
    change = seen[0]
    assert (change.status, change.affected) == ("UPDATE 7", 7)
    assert len(change.before.rows) == len(change.after.rows) == 5
    assert {text(row[1]) for row in change.before.rows} == {"old"}
    assert {text(row[1]) for row in change.after.rows} == {"new"}
    assert [column.name for column in change.after.columns] == ["id", "a"]
    assert await _new(admin) == 7


async def test_roll_back_undoes_it(writer: Writer, admin: Any) -> None:
    seen: list[PendingWrite] = []
    result = await writer.write("DELETE FROM w", (), 10, decider(writer, seen, False))
    assert result.refused == "rolled back"
    assert seen[0].affected == 10
    assert await admin.fetchval("SELECT count(*) FROM w") == 10


async def test_nobody_decides(writer: Writer, admin: Any) -> None:
    result = await writer.write("UPDATE w SET a = 'new'", (), 10, lambda change: None)
    assert result.refused == "rolled back by itself after 0.3 s"
    assert await _new(admin) == 0


async def test_leaving_rolls_back(writer: Writer, admin: Any) -> None:
    shown = asyncio.Event()
    running = asyncio.create_task(
        Writer.write(writer, "UPDATE w SET a = 'new'", (), 10, lambda change: shown.set())
    )
    await asyncio.wait_for(shown.wait(), PATIENCE_S)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await _new(admin) == 0
    assert (await admin.fetchval("SELECT count(*) FROM pg_locks WHERE relation = 'w'::regclass")) == 0


@pytest.mark.parametrize(
    ("sql", "affected"),
    [
        ("INSERT INTO w VALUES (20, 'x'), (21, NULL)", 2),
        ("INSERT INTO w VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET a = 'new' RETURNING id", 1),
        ("UPDATE w AS x SET a = v.a FROM (VALUES (1, 'new')) v (id, a) WHERE x.id = v.id", 1),
        ("DELETE FROM w USING generate_series(1, 3) g (n) WHERE id = g.n", 3),
        ("WITH old AS (SELECT 1 AS n) UPDATE w SET a = 'new' FROM old WHERE id = old.n", 1),
        ("MERGE INTO w USING (VALUES (1)) v (n) ON id = v.n WHEN MATCHED THEN UPDATE SET a = 'new'", 1),
        ("UPDATE w SET a = 'new' WHERE false", 0),
    ],
)
async def test_every_kind_is_counted(writer: Writer, admin: Any, sql: str, affected: int) -> None:
    seen: list[PendingWrite] = []
    result = await writer.write(sql, (), 10, decider(writer, seen, False))
    assert result.error is None, result.error
    assert seen[0].affected == affected


async def test_an_error_points_into_what_was_typed(writer: Writer) -> None:
    result = await writer.write("UPDATE w SET a = nope", (), 10, lambda change: None)
    assert (result.sqlstate, result.position) == ("42703", (1, 18))
    result = await writer.write("INSERT INTO w VALUES (1, 'x')", (), 10, lambda change: None)
    assert result.sqlstate == "23505"


async def test_vacuum_runs_outside_a_transaction_and_its_warnings_are_heard(
    server: Server, writer: Writer, admin: Any
) -> None:
    told: list[str] = []
    assert (await writer.maintain("VACUUM (ANALYZE, VERBOSE) w", 10, told.append)).ok
    assert told
    await admin.execute(
        "DO $$BEGIN CREATE ROLE nobody_much LOGIN PASSWORD 's3cret-p@ss/word';"
        " EXCEPTION WHEN duplicate_object THEN NULL; END$$"
    )
    weak = Writer(pane_session(server.url(user="nobody_much"), "isla-console/ana@jump1", "X"))
    told.clear()
    assert (await weak.maintain("VACUUM w", 10, told.append)).ok
    assert any("WARNING" in line and "w" in line for line in told)
    assert (await weak.maintain("VACUUM w; SELECT 1", 10, told.append)).error is not None
    await weak.session.close()
    refused = await writer.maintain("SELECT pg_sleep(9)", 0.2, told.append)
    assert refused.sqlstate == "57014"
    waits = await server.connect(name="holder")
    await waits.execute("BEGIN; LOCK TABLE w")
    blocked = await writer.maintain("VACUUM FULL w", 10, told.append)
    assert blocked.sqlstate == "55P03", "it would make everybody else wait behind it"
    await waits.close()
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'isla-console/%'"
    assert await admin.fetchval(left) == 0


def test_the_unlock_ends_by_itself() -> None:
    database, now = Database(None, None), datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert database.unlocked(now) is None
    database.unlock("duplicates", now)
    standing = database.standing(now + timedelta(minutes=4, seconds=59))
    assert standing.unlock is not None
    assert standing.unlock.reason == "duplicates"
    assert database.unlocked(now + timedelta(minutes=5)) is None
    database.unlock("again", now)
    database.lock()
    assert database.unlocked(now) is None


async def test_the_sample_changes_nothing_and_runs_no_code_of_ones_own(server: Server) -> None:
    """claim() counts its calls: the statement's own alone are kept (faults.md, C5)."""
    admin = await server.connect()
    await admin.execute(
        """DROP TABLE IF EXISTS claims, claimed; CREATE TABLE claims (n int); CREATE TABLE claimed (id int);
        INSERT INTO claimed VALUES (1);
        CREATE OR REPLACE FUNCTION claim() RETURNS int VOLATILE LANGUAGE plpgsql AS
          'BEGIN INSERT INTO claims VALUES (1); RETURN 1; END'"""
    )
    url = server.url()
    writer = Writer(pane_session(url, "isla-console/ana@jump1", "ISLA_DATABASE_ADMIN_URL"))
    result = await writer.write(
        "UPDATE claimed SET id = 2 WHERE id = claim()", (), 5, lambda _: writer.decide(commit=True)
    )
    assert result.ok
    assert await admin.fetchval("SELECT count(*) FROM claims") == 1
    await writer.session.close()
    await admin.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t5 SET a = 1 WHERE (4120000).pg_terminate_backend",
        "UPDATE t5 SET a = length((SELECT x.set_config FROM boomer x))",
        "INSERT INTO t5 SELECT length(pg_read_file('PG_VERSION'))",
        "DELETE FROM t5 WHERE ender()",
    ],
)
async def test_what_no_rollback_takes_back_is_not_run(server: Server, sql: str) -> None:
    admin = await server.connect()
    await admin.execute(
        """CREATE TABLE IF NOT EXISTS t5 (a int);
        CREATE OR REPLACE VIEW boomer AS SELECT set_config('isla.x', '1', false);
        CREATE OR REPLACE FUNCTION ender() RETURNS bool LANGUAGE sql
          AS 'SELECT (4120000).pg_cancel_backend'"""
    )
    writer = Writer(pane_session(server.url(), "isla-console/ana@jump1", "ISLA_DATABASE_ADMIN_URL"))
    shown: list[PendingWrite] = []
    result = await writer.write(sql, (), 5, shown.append)
    assert result.error is not None
    assert "no rollback takes that back" in result.error.message
    assert shown == []
    await writer.session.close()
    await admin.close()
