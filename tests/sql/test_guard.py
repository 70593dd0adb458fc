"""Three hundred statements: what the guard says of each, and what the server then did."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from isla_console.sql.classify import classify
from tests.sql.conftest import Server
from tests.sql.statements import HOSTILE, READS, SCHEMA

pytestmark = pytest.mark.slow

WRITTEN = """
SELECT md5(string_agg(part, '|' ORDER BY part)) FROM (
  SELECT 't' || t::text AS part FROM t UNION ALL SELECT 'u' || u::text FROM u
  UNION ALL SELECT 'mat' || mat::text FROM mat
  UNION ALL SELECT 'class' || c::text FROM pg_class c WHERE relpersistence <> 't' OR relkind = 'r'
  UNION ALL SELECT 'attribute' || a.attrelid || attname || atttypid || '.' || attnum FROM pg_attribute a
  UNION ALL SELECT 'proc' || p.oid || proname FROM pg_proc p UNION ALL SELECT 'type' || oid FROM pg_type
  UNION ALL SELECT 'trigger' || t.oid || tgenabled::text FROM pg_trigger t
  UNION ALL SELECT 'rule' || r.oid || ev_action::text FROM pg_rewrite r
  UNION ALL SELECT 'role' || r::text FROM pg_roles r
  UNION ALL SELECT 'role setting' || s::text FROM pg_db_role_setting s
  UNION ALL SELECT 'acl' || d::text FROM pg_default_acl d
  UNION ALL SELECT 'database' || oid || datname FROM pg_database WHERE datname NOT LIKE 'guard%'
  UNION ALL SELECT 'lo' || l::text FROM pg_largeobject l
  UNION ALL SELECT 'comment' || d.objoid || description FROM pg_description d WHERE objoid >= 16384
  UNION ALL SELECT 'publication' || pubname FROM pg_publication
  UNION ALL SELECT 'statistics' || s.oid FROM pg_statistic_ext s
  UNION ALL SELECT 'analyzed' || starelid || staattnum FROM pg_statistic WHERE starelid >= 16384
  UNION ALL SELECT 'policy' || polname FROM pg_policy
) parts
"""
"""What only a transaction can change: it is the same for as long as the server gave out no transaction id."""
AT_ONCE = """
SELECT pg_snapshot_xmax(pg_current_snapshot())::text, (SELECT md5(string_agg(part, '|' ORDER BY part)) FROM (
  SELECT 'storage' || c.oid || relpages || reltuples || relallvisible || relfrozenxid AS part FROM pg_class c
  UNION ALL SELECT 'seq' || last_value || is_called FROM seq
  UNION ALL SELECT 't_id_seq' || last_value || is_called FROM t_id_seq
  UNION ALL SELECT 'slot' || slot_name FROM pg_replication_slots
  UNION ALL SELECT 'file' || name || setting FROM pg_file_settings
  UNION ALL SELECT 'lock' || mode || coalesce(objid::text, '') FROM pg_locks
            WHERE locktype = 'advisory' OR (relation = 't'::regclass AND mode NOT LIKE 'AccessShare%')
  UNION ALL SELECT 'victim' || count(*) || coalesce(max(state), '') FROM pg_stat_activity
            WHERE application_name = 'victim'
  UNION ALL SELECT 'reset' || coalesce(stats_reset::text, '') FROM pg_stat_database
            WHERE datname = current_database()
  UNION ALL SELECT 'reset' || coalesce(stats_reset::text, '') FROM pg_stat_bgwriter
) parts)
"""
"""The next transaction id, and what changes without one."""
SESSION = """
SELECT md5(string_agg(part, '|' ORDER BY part)) FROM (
  SELECT 'setting' || name || setting AS part FROM pg_settings
  WHERE name NOT IN ('transaction_read_only', 'in_hot_standby', 'seed')
  UNION ALL SELECT 'listens' || c FROM pg_listening_channels() c
  UNION ALL SELECT 'cursor' || name FROM pg_cursors WHERE name <> '' AND is_holdable
  UNION ALL SELECT 'user' || current_user || session_user
) parts
"""


class Copies:
    """Databases made from the template beforehand: a spoilt one is changed for the next."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ready: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        self._spoilt: list[str] = []
        self._task = asyncio.create_task(self._copy())

    async def take(self, spoilt: str = "") -> str:
        if spoilt:
            self._spoilt.append(spoilt)
        return await self._ready.get()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _copy(self) -> None:
        connection, number = None, 0
        while True:
            number += 1
            try:  # some statements end every session, this one, too
                connection = connection or await self._server.connect(name="copier")
                while self._spoilt:
                    await connection.execute(f"DROP DATABASE IF EXISTS {self._spoilt.pop()} (FORCE)")
                await connection.execute(f"DROP DATABASE IF EXISTS guard_{number} (FORCE)")
                await connection.execute(f"CREATE DATABASE guard_{number} TEMPLATE guard_base")
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                connection = None
                await asyncio.sleep(0.05)
            else:
                await self._ready.put(f"guard_{number}")


@dataclass
class Field:
    """A database with a victim and a listener, watched from outside."""

    server: Server
    copies: Copies
    name: str = ""
    engine: Any = None
    watcher: Any = None
    victim: Any = None
    looker: Any = None
    heard: int = 0
    _written: tuple[str, str] = ("", "")
    """A transaction id and the checksum as of then."""

    async def enter(self) -> None:
        """Into a fresh copy."""
        self.name = await self.copies.take(self.name)
        self.engine = self.server.engine(self.name)
        self._written = ("", "")
        await self.open()

    async def open(self) -> None:
        self.watcher = await self.server.connect(self.name, name="watcher")
        await self.watcher.add_listener("c", self._hear)
        self.victim = await self.server.connect(self.name, name="victim")
        self.heard = 0
        await self.victim.execute("BEGIN")

    @property
    def is_whole(self) -> bool:
        """Whether the victim and the listener live, and nothing was heard."""
        return not (self.victim.is_closed() or self.watcher.is_closed() or self.heard)

    async def close(self) -> None:
        for connection in (self.watcher, self.victim):
            with contextlib.suppress(Exception):
                connection.terminate()

    async def leave(self) -> None:
        await self.close()
        await self.engine.close()
        if self.looker is not None:
            self.looker.terminate()
            self.looker = None

    def _hear(self, *_: object) -> None:
        self.heard += 1

    async def state(self) -> tuple[str, int]:
        """A checksum of everything that a statement could change, and how often NOTIFY was heard."""
        try:
            return await self._look(), self.heard
        except (asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError, asyncpg.AdminShutdownError,
                asyncpg.InternalClientError):  # fmt: skip
            self.looker = None  # it was ended with the others
        return await self._look(), self.heard

    async def _look(self) -> str:
        if self.looker is None:
            self.looker = await self.server.connect(self.name, name="looker")
        try:
            newest, at_once = await self.looker.fetchrow(AT_ONCE)
            if newest != self._written[0]:
                self._written = (newest, str(await self.looker.fetchval(WRITTEN)))
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.UndefinedFunctionError,
                asyncpg.InsufficientPrivilegeError, asyncpg.WrongObjectTypeError) as error:  # fmt: skip
            return str(error)  # what is looked at is gone
        return self._written[1] + str(at_once)

    async def session(self) -> str:
        """A checksum of the pane's own session."""
        async with self.engine.session.using() as connection:
            return str(await connection.fetchval(SESSION))


@pytest.fixture
async def field(server: Server, admin: asyncpg.Connection[Any]) -> AsyncIterator[Field]:
    await _make(admin, "guard_base", SCHEMA, server)
    copies = Copies(server)
    found = Field(server, copies)
    await found.enter()
    yield found
    await found.leave()
    await copies.close()


async def _make(admin: Any, name: str, schema: str, server: Server) -> None:
    await admin.execute(f"DROP DATABASE IF EXISTS {name} (FORCE)")
    await admin.execute(f"CREATE DATABASE {name}")
    connection = await server.connect(name)
    await connection.execute(schema)
    await connection.close()


async def _restore(field: Field) -> None:
    """Take back what a statement did outside its database, and go into a fresh one."""
    await field.leave()
    admin = await field.server.connect(name="restorer")
    for sql in (
        "DROP DATABASE IF EXISTS isla_w",
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'isla_w'",
        "ALTER ROLE postgres RESET ALL",
        "ALTER ROLE postgres CONNECTION LIMIT -1",
        "ALTER DATABASE postgres RESET ALL",
    ):
        await admin.execute(sql)
    if await admin.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = 'w'"):
        await admin.execute(f"DROP DATABASE IF EXISTS {field.name} (FORCE)")  # it may own something there
        await admin.execute("DROP ROLE w")
    await admin.close()
    await field.enter()


async def test_what_reads_passes_and_leaves_everything_as_it_was(field: Field) -> None:
    assert len(READS) + len(HOSTILE) >= 300
    assert len(set(READS)) == len(READS)
    await field.engine.run("SELECT 1")
    session, refused, failed = await field.session(), [], []
    before = await field.state()
    for sql in READS:
        result = await field.engine.run(sql)
        if result.refused:
            refused.append((sql, result.refused))
        elif result.error is not None:
            failed.append((sql, result.error.message))
        assert await field.state() == before, f"{sql} changed something"
    assert await field.session() == session
    assert len(refused) < 0.03 * len(READS), refused
    # The wheel's server is built without some parts (xml); what it lacks it says.
    assert all("not supported" in message or "unsupported" in message for _, message in failed), failed


async def test_what_does_not_only_read_is_never_run(field: Field) -> None:
    await field.engine.run("SELECT 1")
    session, before = await field.session(), await field.state()
    passed = []
    for sql in HOSTILE:
        result = await field.engine.run(sql)
        assert result.verdict.kind != "read" or result.error, sql
        if not result.refused:
            passed.append((sql, result.verdict, result.error))
    assert await field.state() == before
    assert await field.session() == session
    assert not [one for one in passed if one[1].kind == "read" and one[1].settled], passed


async def test_the_server_confirms_the_guard(field: Field, admin: asyncpg.Connection[Any]) -> None:
    """Unguarded, most of the hostile ones do their harm; none of those that did was classed a read."""
    harmful = 0
    before = await field.state()
    for sql in HOSTILE:
        if "ALTER SYSTEM" in sql or "\0" in sql or "STD" in sql:  # the driver has no word for COPY's data
            continue
        verdict = await field.engine.verdict(sql)
        raw = await field.server.connect(field.name, name="raw")
        mine = await raw.fetchval(SESSION)
        with contextlib.suppress(Exception):  # whatever it did, the checksums tell
            await asyncio.wait_for(raw.execute(sql), 3)
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
            if raw.is_in_transaction():
                await raw.execute("ROLLBACK")
        changed_session = True
        with contextlib.suppress(Exception):  # a session so changed that the driver is confused is changed
            changed_session = await raw.fetchval(SESSION) != mine
        changed = await field.state() != before
        raw.terminate()
        if changed or changed_session:
            harmful += 1
            assert verdict.kind != "read", sql
        if changed:
            if not field.is_whole:  # maybe the victim's end, or what was heard, is all there is to it
                await field.close()
                await field.open()
                if await field.state() == before:
                    continue
            await _restore(field)
            before = await field.state()
    assert harmful > 90


@pytest.mark.parametrize("role", ["plain"])
async def test_a_plain_role_is_guarded_alike(field: Field, role: str) -> None:
    await field.watcher.execute(
        "DO $$BEGIN CREATE ROLE plain LOGIN PASSWORD 's3cret-p@ss/word';"
        " EXCEPTION WHEN OTHERS THEN NULL; END$$"
    )
    await field.watcher.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain")
    engine = field.server.engine(field.name, role)
    before = await field.state()
    for sql in HOSTILE:
        result = await engine.run(sql)
        assert not (result.ok and result.verdict.kind != "read"), sql
    assert await field.state() == before
    await engine.close()


def test_the_classes_are_told_apart() -> None:
    expected = {
        "SELECT 1": "read",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING": "write",
        "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x": "write",
        "VACUUM t": "maintenance",
        "REINDEX TABLE t": "maintenance",
        "CREATE INDEX ON a (b)": "admin",
        "SET x = 1": "admin",
        "SELECT pg_terminate_backend(1)": "admin",
        "DO $$BEGIN END$$": "unknown",
        "SELECT 1; SELECT 2": "unknown",
        "EXPLAIN ANALYZE DELETE FROM t": "write",
    }
    assert {sql: classify(sql).kind for sql in expected} == expected
