"""Every way to reach a function, in every place: nothing of it runs, seen from outside."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import asyncpg
import pytest

from isla_console.sql.functions import HARMLESS_VOLATILE, effect, reviewed
from tests.sql import contrib, corpus, families, statements
from tests.sql.conftest import Server

HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture
async def database(server: Server, admin: asyncpg.Connection[Any]) -> str:
    await admin.execute("DROP DATABASE IF EXISTS families (FORCE)")
    await admin.execute("CREATE DATABASE families")
    connection = await server.connect("families")
    await connection.execute(statements.SCHEMA)
    await connection.execute(families.SCHEMA)
    await connection.close()
    return "families"


async def _refuses(server: Server, database: str, tried: list[str]) -> None:
    engine = server.engine(database)
    outside = await server.connect(database, name="outside")
    passed = []
    for sql in tried:
        result = await engine.run(sql)
        assert not await outside.fetchval(HELD), f"{sql} has acted: {result.verdict}"
        if not result.refused and result.error is None:
            passed.append((sql, result.verdict))
    await outside.close()
    await engine.close()
    assert not passed


async def test_every_family_is_refused(server: Server, database: str) -> None:
    places = families.PLACES
    each = [places[i % len(places)].format(one) for i, one in enumerate(families.EXPRESSIONS)]
    await _refuses(server, database, [*each, *families.MORE])


@pytest.mark.heavy
async def test_every_family_is_refused_in_every_place(server: Server, database: str) -> None:
    assert len(families.STATEMENTS) + len(families.MORE) >= 400
    tried = [*families.STATEMENTS, *families.MORE]
    random.Random(4711).shuffle(tried)
    await _refuses(server, database, tried)


async def test_unguarded_they_act(server: Server, database: str) -> None:
    """What the guard refuses is not harmless: most of them take the lock."""
    acted = []
    for one in families.EXPRESSIONS:
        raw = await server.connect(database, name="raw")
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
            await raw.fetch(f"SELECT {one}")
        if await raw.fetchval(f"{HELD} AND pid = pg_backend_pid()"):
            acted.append(one)
        raw.terminate()
    assert len(acted) > 50


async def test_every_function_of_the_server_is_classified(server: Server) -> None:
    """A function that a newer PostgreSQL brings is unknown until somebody has looked at it."""
    connection = await server.connect()
    rows = await connection.fetch(
        """SELECT proname, bool_or(provolatile = 'v') AS volatile FROM pg_proc WHERE oid < 16384
           AND prorettype::regtype::text NOT IN ('trigger', 'event_trigger', 'internal', 'language_handler')
           AND NOT 'internal'::regtype = ANY (proargtypes) GROUP BY 1"""
    )
    await connection.close()
    unknown = [
        row["proname"]
        for row in rows
        if not effect(row["proname"])
        and row["proname"] not in (HARMLESS_VOLATILE if row["volatile"] else reviewed())
    ]
    assert unknown == []


REFUSED: dict[str, str] = {}
"""Which plain read is refused, and why that has to be."""


async def test_what_people_look_up_every_day_is_proven(
    server: Server, admin: asyncpg.Connection[Any]
) -> None:
    await admin.execute("DROP DATABASE IF EXISTS everyday (FORCE)")
    await admin.execute("CREATE DATABASE everyday")
    connection = await server.connect("everyday")
    await connection.execute(statements.SCHEMA)
    await connection.close()
    engine = server.engine("everyday")
    tried = [*corpus.INSPECT, *corpus.EVERYDAY]
    assert len(tried) > 200
    refused = {}
    for sql in tried:
        result = await engine.run(sql)
        assert result.error is None, (sql, result.error)
        if result.refused:
            refused[sql] = result.refused
    await engine.close()
    assert set(refused) == set(REFUSED), refused
    assert len(refused) < 0.01 * len(tried)


async def test_with_the_extensions_of_postgresql(
    server: Server, database: str, admin: asyncpg.Connection[Any]
) -> None:
    """dblink, foreign tables, functions put into an extension; and harmless ones, by themselves."""
    await admin.execute("DROP DATABASE IF EXISTS extended (FORCE)")
    await admin.execute("CREATE DATABASE extended")
    for name in (database, "extended"):
        connection = await server.connect(name)
        for extension in contrib.EXTENSIONS:
            with contextlib.suppress(asyncpg.PostgresError):
                await connection.execute(f'CREATE EXTENSION "{extension}"')
        has = await connection.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'dblink'")
        if has:
            await connection.execute(statements.SCHEMA if name == "extended" else contrib.SCHEMA)
        await connection.close()
        if not has:
            pytest.skip("the server has no contrib")
    await _refuses(server, database, [p.format(one) for one in contrib.EXPRESSIONS for p in contrib.PLACES])
    engine = server.engine("extended")
    for sql in contrib.READS:
        result = await engine.run(sql)
        if "ok_" not in sql and "exprs" not in sql:
            assert not result.refused, (sql, result.refused)
    await engine.close()
    engine = server.engine(database)
    for sql in ("SELECT ok_fn(1)", "SELECT ok_vol()", "SELECT * FROM exprs WHERE a = 2"):
        result = await engine.run(sql)
        assert result.ok, (sql, result.refused, result.error)
    await engine.close()


async def test_what_was_put_into_postgresqls_own_families(server: Server, database: str) -> None:
    connection = await server.connect(database)
    await connection.execute(families.POISON)
    await connection.close()
    await _refuses(server, database, list(families.POISONED))
