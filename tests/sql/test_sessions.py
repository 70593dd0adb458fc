"""Exhaustion survived, the blocking tree, ending sessions and saying why not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import pytest

from isla_console.sql import health, sessions
from isla_console.sql.engine import SqlEngine
from isla_console.sql.sessions import ServerSession, groups, tree
from tests.sql.conftest import Server
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.slow

ROLES = """
DO $$BEGIN
  CREATE ROLE reader LOGIN PASSWORD 's3cret-p@ss/word' BYPASSRLS;
  CREATE ROLE boss LOGIN PASSWORD 's3cret-p@ss/word' BYPASSRLS;
  CREATE ROLE app LOGIN PASSWORD 's3cret-p@ss/word';
  GRANT pg_monitor, pg_read_all_data TO reader;
  GRANT pg_monitor, pg_read_all_data, pg_signal_backend TO boss;
EXCEPTION WHEN duplicate_object THEN NULL; END$$;
CREATE TABLE IF NOT EXISTS piled (id int);
"""


@pytest.fixture
async def crowd(server: Server, admin: Any) -> AsyncIterator[list[Any]]:
    await admin.execute(ROLES)
    held: list[Any] = []
    yield held
    for connection in held:
        with contextlib.suppress(Exception):
            connection.terminate()
    async with asyncio.timeout(PATIENCE_S):
        while await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"):
            await asyncio.sleep(0.02)


def session(pid: int, **other: Any) -> ServerSession:
    start = datetime(2026, 11, 23, 14, tzinfo=UTC)
    made = ServerSession(
        pid, start, start, "app", "db", "worker", "local", "idle", "", "", 60.0, 30.0, None, "SELECT 1"
    )
    return replace(made, **other)


@pytest.mark.parametrize("who", ["reader", "postgres"])
async def test_with_every_connection_taken_the_pane_still_works(
    server: Server, crowd: list[Any], admin: Any, who: str
) -> None:
    engine, armed = server.engine(user=who), server.engine(user="boss" if who == "reader" else who)
    assert (await engine.run("SELECT 1")).ok
    assert (await armed.run("SELECT 1")).ok
    with contextlib.suppress(asyncpg.TooManyConnectionsError):
        while True:
            crowd.append(await server.connect(user="app", name="leaky"))
    if who == "postgres":  # the superuser's own slots, too
        with contextlib.suppress(asyncpg.TooManyConnectionsError):
            while True:
                crowd.append(await server.connect(name="superuser's"))
    late = server.engine(user="app")
    refused = await late.run("SELECT 1")
    assert refused.error is not None
    assert refused.error.full
    assert "no connection slot is left" in refused.error.message

    assert (await engine.run("SELECT count(*) FROM pg_stat_activity")).ok
    seen = await sessions.read(engine.session)
    assert groups(seen)[0].application == "leaky"
    idle = [one for one in seen if one.application == "leaky"]
    for number, one in enumerate(idle, 1):
        ended = await sessions.end(armed.session, one, "terminate")
        assert ended.done, ended.text
        left = [found for found in await sessions.read(engine.session) if found.application == "leaky"]
        assert len(left) == len(idle) - number
    for found in (late, engine, armed):
        await found.close()


async def test_an_alter_table_pile_up_three_deep(server: Server, crowd: list[Any], admin: Any) -> None:
    engine = server.engine()
    await engine.run("SELECT 1")
    await admin.execute("GRANT ALL ON piled TO app; ALTER TABLE piled OWNER TO app")
    names = ("holder", "altering", "reading")
    one, two, three = [await server.connect(user="app", name=name) for name in names]
    crowd += [one, two, three]
    await one.execute("BEGIN; SELECT * FROM piled")
    altering = asyncio.create_task(two.execute("ALTER TABLE piled ADD COLUMN IF NOT EXISTS more int"))
    await _wait_for(admin, "altering")
    reading = asyncio.create_task(three.execute("SELECT * FROM piled"))
    await _wait_for(admin, "reading")
    branches = tree(await sessions.read(engine.session))
    assert [(branch.session.application, branch.depth) for branch in branches] == [
        ("holder", 0),
        ("altering", 1),
        ("reading", 2),
    ]
    assert branches[0].blocks == 2
    ended = await sessions.end(engine.session, branches[0].session, "terminate")
    assert ended.done, ended.text
    await asyncio.wait_for(asyncio.gather(altering, reading), PATIENCE_S)
    assert tree(await sessions.read(engine.session)) == ()
    await engine.close()


@pytest.mark.parametrize("gid", ["order 7", "it's; DROP"])
@pytest.mark.parametrize("lock", ["row", "table"])
async def test_a_prepared_transaction_is_the_root(
    server: Server, crowd: list[Any], admin: Any, gid: str, lock: str
) -> None:
    engine = server.engine(user="reader")
    quoted = gid.replace("'", "''")
    await admin.execute("CREATE TABLE IF NOT EXISTS ordered AS SELECT 1 AS id")
    preparing = await server.connect(name="preparing")
    taking = "UPDATE ordered SET id = 1" if lock == "row" else "LOCK TABLE ordered"
    await preparing.execute("BEGIN; CREATE TABLE other (n int); PREPARE TRANSACTION 'harmless'")
    await preparing.execute(f"BEGIN; {taking}; PREPARE TRANSACTION '{quoted}'")
    await preparing.close()
    first, second = await server.connect(name="first"), await server.connect(name="second")
    crowd += [first, second]
    waiting = [asyncio.create_task(first.execute("BEGIN; LOCK TABLE ordered; COMMIT"))]
    await _wait_for(admin, "first")
    waiting.append(asyncio.create_task(second.execute("SELECT * FROM ordered FOR UPDATE")))
    await _wait_for(admin, "second")
    try:
        found = await sessions.read(engine.session)
        root, *behind = tree(found)
        assert (root.depth, root.blocks) == (0, 2)
        assert [one.session.application for one in behind] == ["first", "second"]
        holder = root.session
        assert (holder.gid, holder.role, holder.database) == (gid, "postgres", "postgres")
        assert holder.age_s >= 0
        assert holder.cure == f"ROLLBACK PREPARED '{quoted}'"
        assert holder.cure in holder.shielded
        assert not (await sessions.end(engine.session, holder, "terminate")).done
        assert [one.gid for one in found if one.gid] == [gid], "the other one blocks nobody"
        assert holder.application not in {group.application for group in groups(found)}
        await admin.execute(holder.cure)
        await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
        assert tree(await sessions.read(engine.session)) == ()
    finally:
        for left in await admin.fetch("SELECT gid FROM pg_prepared_xacts"):
            name = left["gid"].replace("'", "''")
            await admin.execute(f"ROLLBACK PREPARED '{name}'")
        await admin.execute("DROP TABLE ordered")
        await engine.close()


async def test_a_process_of_the_server_is_the_root(server: Server, crowd: list[Any], admin: Any) -> None:
    """A replication connection, which is no client's session, holds a lock."""
    engine = server.engine()
    address = server.url().reveal()
    sender = await asyncpg.connect(address, server_settings={"replication": "database"})
    crowd.append(sender)
    await sender.execute("BEGIN")
    await sender.execute("LOCK TABLE piled")
    waits = await server.connect(name="waits")
    crowd.append(waits)
    waiting = asyncio.create_task(waits.execute("SELECT * FROM piled"))
    await _wait_for(admin, "waits")
    root, behind = tree(await sessions.read(engine.session))
    assert (root.session.kind, root.session.application) == ("walsender", "walsender")
    assert (root.session.pid, behind.session.blocked_by) == (sender.get_server_pid(), (root.session.pid,))
    assert "a process of the server (walsender)" in root.session.shielded
    assert not (await sessions.end(engine.session, root.session, "terminate")).done
    sender.terminate()
    await asyncio.wait_for(waiting, PATIENCE_S)
    assert {one.kind for one in await sessions.read(engine.session)} == {"client backend"}
    await engine.close()


async def test_an_idle_console_is_known_by_its_last_word(server: Server, admin: Any) -> None:
    one, other = server.engine(), server.engine()
    await one.run("SELECT 1")
    await other.run("SELECT 1/0")
    found = {found.application: found for found in await sessions.read(one.session)}
    console = found["isla-console/ana@jump1"]
    assert (console.ours, console.shielded) == (True, "it is a console's own")
    raw = [found for found in await sessions.read(one.session) if found.ours]
    assert len(raw) == 2
    for idle in raw:
        disguised = replace(idle, ours=False, superuser=False)
        assert not (await sessions.end(one.session, disguised, "terminate")).done
    await one.close()
    await other.close()


async def test_what_is_never_ended_and_why(server: Server, crowd: list[Any], admin: Any) -> None:
    reader, boss = server.engine(user="reader"), server.engine(user="boss")
    for engine in (reader, boss):
        await engine.run("SELECT 1")
    crowd.append(await server.connect(user="app", name="worker"))
    seen = {one.application: one for one in await sessions.read(reader.session)}
    told = {
        name: (await sessions.end(boss.session, seen[name], "terminate")).text
        for name in ("isla-console/ana@jump1", "admin")
    }
    assert "a console's own" in told["isla-console/ana@jump1"]
    assert "superuser" in told["admin"]
    # Even if the list were wrong, the server is asked again.
    disguised = replace(seen["admin"], superuser=False)
    assert not (await sessions.end(boss.session, disguised, "terminate")).done
    worker = seen["worker"]
    refused = await sessions.end(reader.session, worker, "terminate")
    assert "pg_signal_backend" in refused.text
    other = replace(worker, backend_start=datetime(2020, 1, 1, tzinfo=UTC))
    assert "another session now" in (await sessions.end(boss.session, other, "terminate")).text
    await crowd[0].execute("SELECT 1")
    assert "idle no more" in (await sessions.end(boss.session, worker, "terminate")).text
    gone = replace(worker, pid=4_000_000)
    assert "gone already" in (await sessions.end(boss.session, gone, "terminate")).text
    fresh = next(one for one in await sessions.read(boss.session) if one.application == "worker")
    assert (await sessions.end(boss.session, fresh, "terminate")).done
    for engine in (reader, boss):
        await engine.close()


async def test_cancel_ends_the_query_and_not_the_session(
    server: Server, crowd: list[Any], admin: Any
) -> None:
    boss = server.engine(user="boss")
    await boss.run("SELECT 1")
    worker = await server.connect(user="app", name="worker")
    crowd.append(worker)
    sleeping = asyncio.create_task(worker.execute("SELECT pg_sleep(30)"))
    async with asyncio.timeout(PATIENCE_S):
        while not (
            busy := [
                one
                for one in await sessions.read(boss.session)
                if one.application == "worker" and one.state == "active"
            ]
        ):
            await asyncio.sleep(0.02)
    assert (await sessions.end(boss.session, busy[0], "cancel")).done
    with pytest.raises(asyncpg.QueryCanceledError):
        await asyncio.wait_for(sleeping, PATIENCE_S)
    assert await worker.fetchval("SELECT 1") == 1
    await boss.close()


async def _with_cron(engine: SqlEngine) -> dict[str, health.Health]:
    """The findings once cron's is among them; empty where a busy machine did not answer in time."""
    found = {one.id: one for one in await health.read(engine.session)}
    return found if "cron" in found else {}


async def test_health_and_crons_hidden_by_row_security(server: Server, crowd: list[Any], admin: Any) -> None:
    engine = server.engine()
    found = {one.id: one for one in await health.read(engine.session)}
    assert {"connections", "cache", "size", "slots", "read-only", "bloat"} <= set(found)
    assert found["read-only"].state == "ok"
    assert "cron" not in found
    await admin.execute(
        """CREATE SCHEMA cron;
        CREATE TABLE cron.job_run_details (status text, start_time timestamptz, username text);
        ALTER TABLE cron.job_run_details ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON cron.job_run_details USING (username = current_user);
        INSERT INTO cron.job_run_details VALUES ('failed', now(), 'postgres');
        GRANT USAGE ON SCHEMA cron TO app; GRANT SELECT ON cron.job_run_details TO app"""
    )
    plain = server.engine(user="app")
    try:
        found = await until(partial(_with_cron, engine))
        assert (found["cron"].state, found["cron"].text) == ("alert", "1 of 1 runs failed")
        found = await until(partial(_with_cron, plain))
        assert found["cron"].state == "unknown"
        assert "row-level security hides rows" in found["cron"].text
    finally:
        await admin.execute("DROP SCHEMA cron CASCADE")
        await plain.close()
        await engine.close()


def test_the_tree_of_circles_and_of_two_roots() -> None:
    deadlock = [session(1, blocked_by=(2,)), session(2, blocked_by=(1,))]
    assert [(one.session.pid, one.depth) for one in tree(deadlock)] == [(1, 0), (2, 1)]
    both = [session(1), session(2), session(3, blocked_by=(1, 2))]
    assert [(one.session.pid, one.depth, one.blocks) for one in tree(both)] == [
        (1, 0, 1),
        (3, 1, 0),
        (2, 0, 1),
    ]
    assert tree([session(1), session(2, blocked_by=(99,))]) == ()


def test_groups_count_and_order() -> None:
    found = groups([session(1), session(2, state="idle in transaction"), session(3, application="api")])
    assert [(one.application, one.sessions, one.idle, one.in_transaction) for one in found] == [
        ("worker", 2, 1, 1),
        ("api", 1, 1, 0),
    ]


async def _wait_for(admin: Any, application: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await admin.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'",
            application,
        ):
            await asyncio.sleep(0.02)


async def test_nothing_is_sent_without_a_connection() -> None:
    engine = SqlEngine.from_settings(_Unset())  # type: ignore[arg-type]
    assert engine is None


class _Unset:
    actor, host = "ana", "jump1"

    def secret(self, name: str) -> None:
        return None
