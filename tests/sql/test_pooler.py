"""Behind a real PgBouncer, on any port: settings, reading only, parameters, cancelling, writing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from isla_console.sql import sessions
from isla_console.sql.engine import SqlEngine, pane_session
from isla_console.sql.writing import Writer
from isla_console.steps import backup
from tests.sql.conftest import running
from tests.support.pooler import SERVERS, Pooler, Writers, pooling
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["embedded", "system"])
def pooler(request: pytest.FixtureRequest) -> Iterator[Pooler]:
    with running(request.param) as server, pooling(server) as found:
        yield found


@pytest.fixture
async def pane(pooler: Pooler) -> AsyncIterator[SqlEngine]:
    found = pooler.engine()
    yield found
    await found.close()


SETTINGS = """
SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
       current_setting('transaction_read_only'), current_setting('row_security'), current_setting('TimeZone'),
       current_setting('application_name')
"""


async def test_settings_hold_in_each_transaction_and_stay_with_nobody(
    pooler: Pooler, pane: SqlEngine
) -> None:
    others = [await pooler.client() for _ in range(3)]
    for _ in range(6):
        result = await pane.run(SETTINGS, timeout_s=7)
        assert result.error is None, result.error
        assert result.rows == (("7s", "2s", "on", "off", "UTC", "isla-console/ana@jump1"),)
        for other in others:
            seen = await other.fetchrow(SETTINGS)
            assert (*seen[:4], seen[5]) == ("0", "0", "off", "on", "")
    reading = pane.reading()
    assert (reading.state, reading.mode) == ("ok", "pooler")
    assert (reading.settings["statement_timeout"], reading.warnings) == ("15000", ())
    for other in others:
        await other.close()


async def test_statements_move_between_servers_and_none_is_kept_in_one(
    pooler: Pooler, pane: SqlEngine
) -> None:
    """Parameters, cursors and the guard's questions work wherever a transaction lands."""
    used = set()
    busy = await pooler.client()
    for number in range(12):
        if number % 2:
            holding = busy.transaction()
            await holding.start()
            await busy.fetchval("SELECT 1")
        result = await pane.run(
            "SELECT pg_backend_pid(), $1::int * 2 FROM generate_series(1, 60)", (str(number),)
        )
        assert result.error is None, result.error
        assert result.row_count == 60
        assert result.rows[0][1] == str(number * 2)
        used.add(result.rows[0][0])
        if number % 2:
            await holding.rollback()
    assert len(used) == SERVERS
    assert await busy.fetchval("SELECT count(*) FROM pg_prepared_statements") == 0
    await busy.close()


async def test_nothing_can_be_written_where_it_reads(pooler: Pooler, pane: SqlEngine) -> None:
    await pane.run("SELECT 1")
    async with pane.session.using() as connection:
        await connection.execute(pane.session.begin())
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("CREATE TABLE never (id int)")
        await connection.execute("ROLLBACK")
    result = await pane.run("SELECT to_regclass('never')")
    assert result.rows == ((None,),)
    refused = await pane.run("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
    assert refused.refused


async def test_a_cancel_reaches_the_server_behind_it(pooler: Pooler, pane: SqlEngine) -> None:
    await pane.run("SELECT 1")
    direct = await pooler.server.connect(name="looker")
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(14)' AND state = 'active'"
    asking = asyncio.create_task(pane.run("SELECT pg_sleep(14)"))
    async with asyncio.timeout(PATIENCE_S):
        while not await direct.fetchval(busy):
            await asyncio.sleep(0.02)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(PATIENCE_S):
        while await direct.fetchval(busy):
            await asyncio.sleep(0.02)
    assert (await pane.run("SELECT 1")).ok
    late = await pane.run("SELECT pg_sleep(14)", timeout_s=0.3)
    assert late.sqlstate == "57014"
    await direct.close()


async def test_writing_is_one_transaction_and_upkeep_is_refused(pooler: Pooler) -> None:
    direct = await pooler.server.connect(name="looker")
    await direct.execute("DROP TABLE IF EXISTS pooled; CREATE TABLE pooled (id int)")
    for commit, left in ((False, 0), (True, 3)):
        writer = Writer(pane_session(pooler.url(), "isla-console/ana@jump1", "ISLA_DATABASE_ADMIN_URL"))
        result = await writer.write(
            "INSERT INTO pooled SELECT generate_series(1, 3)",
            (),
            10,
            lambda _, writer=writer, commit=commit: writer.decide(commit),  # type: ignore[misc]
        )
        assert result.error is None, result.error
        assert await direct.fetchval("SELECT count(*) FROM pooled") == left
        maintenance = await writer.maintain("VACUUM pooled", 10, lambda _: None)
        assert maintenance.error is not None
        assert "a pooler sits between" in maintenance.error.message
        await writer.session.close()
    other = await pooler.client()
    assert await other.fetchval("SHOW transaction_read_only") == "off"
    await other.close()
    await direct.close()


async def test_a_pooler_is_known_by_what_the_server_answers(pooler: Pooler) -> None:
    direct = pooler.server.engine()
    assert (await direct.run("SELECT 1")).ok
    assert direct.reading().mode == "direct"
    await direct.close()
    with pooling(pooler.server, "session") as other:
        engine = other.engine()
        assert (await engine.run("SELECT 1")).ok
        assert engine.reading().mode == "pooler"
        await engine.close()


async def test_nothing_is_left_on_any_server_connection(pooler: Pooler) -> None:
    """Whatever is done, and however it ends: reads, errors, cancelling, writes, types of one's own."""
    before = await pooler.left()
    direct = await pooler.server.connect(name="looker")
    await direct.execute("DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('calm', 'on fire')")
    async with Writers(pooler) as writers:
        pane = pooler.engine()
        writer = Writer(pane_session(pooler.url(), "isla-console/ana@jump1", "ISLA_DATABASE_ADMIN_URL"))
        for sql in (
            "SELECT 'calm'::mood, ARRAY['on fire']::mood[], i FROM generate_series(1, 600) i",
            "SELECT 1/0",
            "SELECT nope",
            "SELECT repeat('x', 9000000) FROM generate_series(1, 9)",
        ):
            await pane.run(sql)
        await pane.run("SELECT pg_sleep(9)", timeout_s=0.2)
        asking = asyncio.create_task(pane.run("SELECT pg_sleep(9)"))
        await asyncio.sleep(0.3)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await sessions.read(pane.session)
        await writer.write("UPDATE clicks SET n = 7", (), 10, lambda _: writer.decide(False))
        await writer.write("INSERT INTO clicks VALUES (now(), 9)", (), 10, lambda _: writer.decide(True))
        await writer.write("INSERT INTO nowhere VALUES (1)", (), 10, lambda _: None)
        await writer.maintain("VACUUM clicks", 10, lambda _: None)
        await writer.session.close()
        await pane.close()
        written = writers.written
        await until(lambda: writers.written > written + 40)
    assert writers.refused == []
    after = await pooler.left()
    assert {str(found) for found in after.values()} == {str(found) for found in before.values()}
    assert [held for _, held in after.values()] == [[]] * SERVERS
    names = await direct.fetch(
        "SELECT application_name, query FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    )
    assert not [row for row in names if "isla-console" in row["application_name"] + row["query"]]
    await direct.close()


async def test_a_console_that_is_killed_in_a_transaction_leaves_nothing(pooler: Pooler) -> None:
    before = await pooler.left()
    pane = pooler.engine()
    async with Writers(pooler) as writers:
        async with pane.session.using() as connection:
            await connection.execute(pane.session.begin())
            connection.terminate()
        written = writers.written
        await until(lambda: writers.written > written + 40)
    assert writers.refused == []
    known = {str(found) for found in before.values()}
    assert {str(found) for found in (await pooler.left()).values()} == known
    await pane.close()


async def test_a_dump_is_refused_where_its_settings_would_be_handed_on(
    pooler: Pooler, tmp_path: Path
) -> None:
    file = str(tmp_path / "b.dump")
    refused = await backup.before_backup(pooler.url().reveal(), file, path="/nonexistent")
    assert "a transaction pooler is at this address" in refused.refused
    refused = await backup.before_restore(pooler.url().reveal(), "", __file__)
    assert "a transaction pooler is at this address" in refused.refused
    with pooling(pooler.server, "session") as apart:
        assert (await backup.before_backup(apart.url().reveal(), file, path="/nonexistent")).refused == ""
    direct = pooler.server.url().reveal()
    assert (await backup.before_backup(direct, file, path="/nonexistent")).refused == ""


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_advisory_lock(99)",
        "SELECT pg_advisory_lock(-9223372036854775808), pg_advisory_lock_shared(-1, 2147483647)",
        "SELECT pg_advisory_lock(7) FROM generate_series(1, 5)",
        "SELECT pg_advisory_lock(7), pg_advisory_xact_lock(8)",
        "SELECT pg_advisory_lock(99), 1/(random() * 0)::int",
        "SELECT pg_advisory_lock(99), pg_sleep(9)",
    ],
)
@pytest.mark.parametrize("commit", [True, False])
async def test_no_advisory_lock_outlasts_its_transaction(pooler: Pooler, sql: str, *, commit: bool) -> None:
    writer = Writer(pane_session(pooler.url(), "isla-console/ana@jump1", "ISLA_DATABASE_ADMIN_URL"))
    result = await writer.write(sql, (), 1, lambda _: writer.decide(commit))
    assert result.ok is (commit and "/(" not in sql and "sleep" not in sql), result
    direct = await pooler.server.connect(name="looker")
    held = await direct.fetch("SELECT objid, mode FROM pg_locks WHERE locktype = 'advisory'")
    assert held == []
    await direct.close()
    await writer.session.close()
