"""Running, cutting off, streaming, cancelling; a server that dies, a network that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import resource
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest

from isla_console.sql.engine import SqlEngine
from isla_console.sql.export import ExportFile, export_path
from isla_console.sql.history import History
from isla_console.sql.result import SqlResult
from isla_console.sql.statements import statement_at
from isla_console.sql.values import text
from tests.sql.conftest import Server
from tests.support.pace import slowness
from tests.support.servers import Proxy
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.slow


async def test_values_come_as_postgresql_writes_them(engine: SqlEngine) -> None:
    result = await engine.run(
        "SELECT 1 AS n, NULL AS nothing, '' AS empty, interval '1 day 2 s' AS span, 1.50::numeric AS exact,"
        " 'infinity'::timestamptz AS ever, '\\x00ff'::bytea AS bytes, ARRAY[1, NULL] AS list, true AS yes,"
        " timestamptz '2026-11-23 14:00+01' AS at, '{\"a\": 1}'::jsonb AS doc"
    )
    assert result.error is None
    shown = [None if value is None else text(value) for value in result.rows[0]]
    assert shown == [
        "1", None, "", "1 day 00:00:02", "1.50", "infinity", "\\x00ff", "{1,NULL}", "t",
        "2026-11-23 13:00:00+00", '{"a": 1}',
    ]  # fmt: skip
    assert result.columns[0].is_number
    assert not result.columns[2].is_number


async def test_the_cut_off_is_known_and_first_rows_come_first(engine: SqlEngine) -> None:
    early: list[SqlResult] = []
    result = await engine.run("SELECT * FROM generate_series(1, 501)", first=early.append)
    assert (result.row_count, result.truncated) == (500, True)
    assert early[0].row_count == 50
    result = await engine.run("SELECT * FROM generate_series(1, 500)")
    assert (result.row_count, result.truncated) == (500, False)


async def test_parameters_are_bound_by_their_types(engine: SqlEngine) -> None:
    result = await engine.run("SELECT $1::int + 1, $2::date, $3::text", ("41", "2024-02-29", "'; DROP"))
    assert [text(value) for value in result.rows[0]] == ["42", "2024-02-29", "'; DROP"]
    result = await engine.run("SELECT $1::int", ("x",))
    assert result.error is not None
    assert result.error.message == 'invalid input syntax for type integer: "x"'
    result = await engine.run("SELECT $1::int")
    assert result.error is not None
    assert "takes 1 values" in result.error.message


async def test_errors_say_where_and_what_they_mean(engine: SqlEngine) -> None:
    result = await engine.run("SELECT 1,\n  nope\nFROM pg_class")
    assert result.error is not None
    assert (result.sqlstate, result.position) == ("42703", (2, 3))
    assert "No such column" in result.error.meaning
    result = await engine.run("SELECT count(*) FROM pg_clas")
    assert result.sqlstate == "42P01"
    result = await engine.run("SELECT pg_sleep(5)", timeout_s=0.2)
    assert result.sqlstate == "57014"
    assert (await engine.run("SELECT 1")).ok


async def test_a_refused_statement_says_why(engine: SqlEngine) -> None:
    result = await engine.run("WITH x AS (DELETE FROM pg_class RETURNING 1) SELECT * FROM x")
    assert result.refused == "deletes rows"
    assert result.verdict.kind == "write"


async def test_cancel_frees_the_server_at_once(engine: SqlEngine, admin: Any) -> None:
    await engine.run("SELECT 1")
    running = asyncio.create_task(engine.run("SELECT pg_sleep(30)", timeout_s=60))
    await until(lambda: _busy(admin, "SELECT pg_sleep(30)"))
    started = monotonic()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await until(lambda: _not(_busy(admin, "SELECT pg_sleep(30)")))
    assert (
        monotonic() - started < 2.0 * slowness()
    )  # 250 ms on a quiet machine: benchmarks/sql_rows.py measures it
    assert (await engine.run("SELECT 1")).ok


async def test_half_a_million_rows_flow_through(engine: SqlEngine, tmp_path: Path) -> None:
    sql = "SELECT i, md5(i::text) AS hash, NULL AS nothing FROM generate_series(1, 500000) i"
    await engine.run("SELECT 1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    file = ExportFile(tmp_path / "all.csv", "csv")
    result = await engine.stream(sql, (), file.take, 60)
    file.finish()
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert result.ok
    assert file.rows == 500_000
    assert grown_mib < 20
    assert sum(1 for _ in file.path.open()) == 500_001


async def test_exports_keep_null_apart_and_are_private(engine: SqlEngine, tmp_path: Path) -> None:
    sql = "SELECT 1 AS n, NULL AS nothing, '' AS empty, 'a,\"b\"' AS quoted"
    made = {}
    for kind in ("csv", "json"):
        path = export_path(tmp_path, kind, datetime(2026, 11, 23, 14, tzinfo=UTC))
        file = ExportFile(path, kind)
        await engine.stream(sql, (), file.take, 10)
        file.finish()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        made[kind] = path
    with made["csv"].open(newline="") as lines:
        assert list(csv.reader(lines))[1] == ["1", "\\N", "", 'a,"b"']
    assert json.loads(made["json"].read_text()) == [{"n": 1, "nothing": None, "empty": "", "quoted": 'a,"b"'}]


def test_history_outlives_the_console_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "state" / "sql-history.jsonl"
    first = History(path)
    for sql in ("SELECT 1", "SELECT 1", "ALTER ROLE x PASSWORD 'hunter22'"):
        first.add(sql)
    again = History(path)
    assert "hunter22" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "ALTER ROLE" in (again.older() or "")
    assert again.older() == "SELECT 1"
    assert again.older() is None
    path.write_text("no json")
    assert History(path).older() is None


def test_the_statement_under_the_cursor() -> None:
    script = "SELECT 1;\nSELECT ';' AS two;\n\nDELETE FROM t"
    assert statement_at(script, 3)[1] == "SELECT 1"
    assert statement_at(script, 15) == (10, "SELECT ';' AS two")
    assert statement_at(script, len(script))[1] == "DELETE FROM t"
    assert statement_at("SELECT 'open", 3) == (0, "SELECT 'open")


async def test_a_killed_session_comes_back_by_itself(engine: SqlEngine, admin: Any) -> None:
    await engine.run("SELECT 1")
    running = asyncio.create_task(engine.run("SELECT pg_sleep(20)", timeout_s=30))
    await until(lambda: _busy(admin, "SELECT pg_sleep(20)"))
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'isla-console/%'"
    )
    result = await running
    assert result.error is not None
    assert result.error.lost
    # As the driver comes to know it: told by the server, or by the end of the connection alone.
    assert result.sqlstate in {"57P01", "08003", ""}
    await until(lambda: _ok(engine))


async def test_the_server_restarts_in_the_middle_of_a_query(server: Server) -> None:
    engine = server.engine()
    await engine.run("SELECT 1")
    running = asyncio.create_task(engine.run("SELECT pg_sleep(20)", timeout_s=30))
    watching = await server.connect()
    await until(lambda: _busy(watching, "SELECT pg_sleep(20)"))
    watching.terminate()
    await asyncio.to_thread(server.stop)
    result = await asyncio.wait_for(running, PATIENCE_S)
    assert result.error is not None
    assert result.error.lost
    down = await engine.run("SELECT 1")
    assert down.error is not None
    await asyncio.to_thread(server.start)
    await until(lambda: _ok(engine))
    await engine.close()


async def test_a_network_that_hangs_is_given_up_and_recovers(server: Server) -> None:
    proxy = Proxy(server.port)
    listener = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    engine = server.engine(port=listener.sockets[0].getsockname()[1])
    assert (await engine.run("SELECT 1")).ok
    proxy.flowing.clear()
    started = monotonic()
    result = await engine.run("SELECT 2", timeout_s=0.5)
    assert result.error is not None
    assert monotonic() - started < 6 * slowness()
    stopped = asyncio.create_task(engine.run("SELECT 3"))
    await asyncio.sleep(0.1)
    stopped.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(stopped, PATIENCE_S)
    proxy.flowing.set()
    await until(lambda: _ok(engine))
    await engine.close()
    listener.close()


async def test_a_second_statement_is_told_to_wait(engine: SqlEngine, admin: Any) -> None:
    await engine.run("SELECT 1")
    sleeps = "SELECT pg_sleep(60)"
    first = asyncio.create_task(engine.run(sleeps))
    await until(lambda: _busy(admin, sleeps))
    second = await engine.run("SELECT 1")
    assert second.error is not None
    assert "busy" in second.error.message
    assert not first.done()
    first.cancel()
    await asyncio.wait([first])


async def test_a_statement_waits_its_turn_where_that_is_near(engine: SqlEngine, admin: Any) -> None:
    """The guard may be reading what is typed on this connection: nothing is refused for that."""
    await engine.run("SELECT 1")
    first = asyncio.create_task(engine.run("SELECT pg_sleep(1.5)"))
    await until(lambda: _busy(admin, "SELECT pg_sleep(1.5)"))
    assert (await engine.run("SELECT 1")).ok
    assert (await first).ok


async def _ok(engine: SqlEngine) -> bool:
    return (await engine.run("SELECT 1")).ok


async def _busy(admin: asyncpg.Connection[Any], sql: str) -> bool:
    found = await admin.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'active'", sql
    )
    return bool(found)


async def _not(question: Any) -> bool:
    return not await question


@pytest.fixture(autouse=True)
async def nothing_is_left(server: Server) -> AsyncIterator[None]:
    yield
    left = [task for task in asyncio.all_tasks() if "engine" in repr(task.get_coro()) and not task.done()]
    assert not left


def test_the_history_follows_no_link(tmp_path: Path) -> None:
    """A link that somebody put where the history writes is not written through (faults.md, C12)."""
    target = tmp_path / "target"
    target.write_text("mine")
    for name in ("sql-history.new", ".sql-history.jsonl.new"):
        (tmp_path / name).symlink_to(target)
    History(tmp_path / "sql-history.jsonl").add("SELECT 1")
    assert target.read_text() == "mine"
    assert (tmp_path / "sql-history.jsonl").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob(".sql-history.jsonl.??*") if not path.is_symlink()] == []
