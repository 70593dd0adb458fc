"""Every type's values on screen and in exports, beside what psql prints for the same statement."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from isla_console.sql.engine import SqlEngine
from isla_console.sql.export import ExportFile
from isla_console.sql.values import unique_names
from tests.sql.conftest import Server, running

pytestmark = pytest.mark.slow

SETUP = """
CREATE SCHEMA kinds;
SET search_path = kinds, public;
CREATE TYPE mood AS ENUM ('calm', 'on fire', '');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nested AS (p pair, list int[], m mood);
CREATE DOMAIN small AS int CHECK (value < 100);
CREATE DOMAIN smaller AS small CHECK (value < 10);
CREATE DOMAIN moods AS mood[];
CREATE TYPE floats AS RANGE (subtype = float8, subtype_diff = float8mi);
"""
VALUES = r"""
'infinity'::timestamptz  '-infinity'::timestamptz  'infinity'::date  '-infinity'::timestamp
'9999-12-31'::date  '0001-01-01'::date  '0001-01-01'::timestamptz
'9999-12-31 23:59:59.999999+00'::timestamptz  '275760-09-13'::date  '275760-09-13'::timestamptz
'5874897-12-31'::date  '294276-12-31'::timestamp  '4713-01-01 BC'::date  '0044-03-15 12:00 BC'::timestamptz
'2026-11-23 14:00:00.1+05:30'::timestamptz  '12:00:00'::time  '24:00'::time  '12:00:00.5+02'::timetz
'00:00:00-15:59'::timetz  '1 year 2 mons 3 days 04:05:06.789'::interval  '-1 day +02:03'::interval
'-00:00:00.000001'::interval  '178000000 years'::interval  '0'::interval  '36 hours'::interval  1::int2
(-2147483648)::int4  9223372036854775807  4294967295::oid  0.1::float4  0.1::float8  1e300::float8
'NaN'::float4  '-Infinity'::float8  '-0'::float8  3.4028235e38::float4  1.50::numeric  'NaN'::numeric
1e40::numeric  0.000000000000000000001  12345678901234567890.12345678901234567890  true  false  NULL::bool
''::text  NULL::text  'r'::"char"  ''::"char"  '\377'::"char"  'naïve ☃ 日本'::text  E'two\tlines'::text
'NULL'::text  'pg_class'::regclass  'int4'::regtype  'now'::regproc  '+(int4,int4)'::regoperator
'postgres'::regrole  0::regclass  'pg_catalog.pg_class'::regclass::oid  'name'::name  '(0,1)'::tid
'42'::xid  '5'::cid  '1 2 3'::int2vector  '1 2'::oidvector  '18446744073709551615'::xid8
'0/16B3748'::pg_lsn  'FFFFFFFF/FFFFFFFF'::pg_lsn  '10:20:10,14,15'::pg_snapshot  '\x00ff5c27'::bytea
''::bytea  '1234.5'::money  '-0.01'::money  B'10110'  B''  '101'::varbit  '10.0.0.1'::inet
'10.0.0.1/8'::inet  '::1'::inet  '10.0.0.0/8'::cidr  '08:00:2b:01:02:03'::macaddr
'08:00:2b:01:02:03:04:05'::macaddr8  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid  'null'::jsonb
'$.a[*]'::jsonpath  '<a b="c">d&amp;</a>'::xml  'fat & (rat | cat)'::tsquery  'a fat cat'::tsvector
'(1,2)'::point  '{1,2,3}'::line  '[(0,0),(1,1)]'::lseg  '(1,1),(0,0)'::box  '((0,0),(1,1))'::path
'<(0,0),5>'::circle  '((0,0),(1,1),(2,0))'::polygon  '{1,NULL,3}'::int[]  '{}'::text[]
'{{1,2},{3,NULL}}'::int[]  '[0:1]={a,b}'::text[]  ARRAY['a,b','"q"','',NULL,'NULL','{x}','\']
ARRAY['infinity','0044-03-15 BC','9999-12-31']::date[]  ARRAY[0.1,'NaN']::float4[]  ARRAY['\xff']::bytea[]
ARRAY['{"a":1}']::jsonb[]  ARRAY['r']::"char"[]  ARRAY['0/0']::pg_lsn[]  ARRAY[interval '1 day', NULL]
ARRAY['10.0.0.1']::inet[]  ARRAY[true,NULL,false]  'on fire'::mood  ''::mood
ARRAY['calm','on fire',NULL,'']::mood[]  '{calm}'::moods  7::small  7::smaller  ARRAY[7,8]::small[]
ARRAY[7]::smaller[]  ROW(1,'a,b"c')::pair  ROW(NULL,NULL)::pair  ROW(NULL,'')::pair
ROW(ROW(1,'(x)'),'{1,NULL}','on fire')::nested  ROW(1,'x',NULL,ROW(2))
ARRAY[ROW(1,'x'),NULL,ROW(2,NULL)]::pair[]  ARRAY[ROW(ROW(1,'"'),ARRAY[1],NULL)]::nested[]
'[1,5)'::int4range  'empty'::int4range  '[,]'::numrange  '(,2026-11-23]'::daterange
'["2026-11-23 14:00+00",infinity)'::tstzrange  '[1.5,2.5]'::floats  ARRAY['[1,2]'::int4range,NULL]
'{[1,3),[5,7)}'::int4multirange  '{}'::datemultirange  'postgres=arwdDxt/postgres'::aclitem
ARRAY['postgres=r/postgres']::aclitem[]  '"C"'::regcollation  'simple'::regconfig
'pg_catalog'::regnamespace  pg_typeof(1)  'x'::varchar(3)  'unknown'  NULL
current_setting('server_encoding')  decode('','hex')
"""
CONTRIB = {
    "hstore": ('\'a=>1, b=>NULL, "c d"=>""\'::hstore', "ARRAY['a=>1']::hstore[]"),
    "ltree": ("'a.b.c'::ltree", "'a.*{1,2}'::lquery"),
    "citext": ("'MiXed'::citext", "ARRAY['A','b']::citext[]"),
    "cube": ("'(1,2),(3,4)'::cube",),
    "isn": ("'978-0-393-04002-9'::isbn13",),
    "intarray": ("'1&!2'::query_int",),
    "seg": ("'1.5 .. 2'::seg",),
    "vector": ("'[1,2.5]'::vector",),
}
SPACED = """\
'{"a":  [1, 2.50, null], "a": "x"}'::json
'{"a":  [1, 2.50, null], "b": "☃"}'::jsonb
'a  '::char(5)"""
EXPRESSIONS = [
    *SPACED.splitlines(),
    *(one for line in VALUES.strip().splitlines() for one in line.split("  ")),
]


def psql(server: Server, sql: str, options: str = "") -> str:
    """What psql prints: fields apart by 0x1f, records by 0x1e, NULL as 0x1d."""
    done = subprocess.run(
        [
            str(server.programs / "psql") if (server.programs / "psql").exists() else "psql",
            "-X", "-A", "-t", "-q", "-F", "\x1f", "-R", "\x1e", "-P", "null=\x1d",
            "-v", "ON_ERROR_STOP=1", "-c", sql, server.url().reveal(),
        ],
        env={**os.environ, "PGTZ": "UTC", "PGCLIENTENCODING": "UTF8", "PGOPTIONS": options},
        capture_output=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().removesuffix("\n")


def printed(server: Server, sql: str) -> list[list[str | None]]:
    text = psql(server, sql)
    return [[None if one == "\x1d" else one for one in row.split("\x1f")] for row in text.split("\x1e")]


@pytest.fixture
async def kinds(server: Server, admin: Any) -> Any:
    await admin.execute("DROP SCHEMA IF EXISTS kinds CASCADE")
    await admin.execute(SETUP)
    await admin.execute("ALTER ROLE postgres SET search_path = kinds, public")
    yield admin
    await admin.execute("ALTER ROLE postgres RESET search_path; DROP SCHEMA kinds CASCADE")


async def supported(admin: Any, found: list[str]) -> list[str]:
    """All of them, but for XML where the server is built without it."""
    known = []
    for one in found:
        try:
            await admin.execute(f"SELECT {one}")
        except asyncpg.FeatureNotSupportedError:
            continue
        known.append(one)
    return known


async def test_each_value_is_what_psql_prints(server: Server, kinds: Any) -> None:
    expressions = await supported(kinds, EXPRESSIONS)
    assert len(expressions) > 140
    for name, more in CONTRIB.items():
        if await kinds.fetchval("SELECT true FROM pg_available_extensions WHERE name = $1", name):
            await kinds.execute(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA kinds")
            expressions += await supported(kinds, list(more))
    if server.programs.is_relative_to("/usr/lib/postgresql"):
        assert len(expressions) > 155, "Debian's server has its contrib modules"
    engine = server.engine()
    try:
        for start in range(0, len(expressions), 20):
            some = expressions[start : start + 20]
            sql = f"SELECT {', '.join(some)}"
            [wanted] = printed(server, sql)
            result = await engine.run(sql)
            assert result.error is None, (result.error, some)
            if result.refused:  # a type with code of its own: the guard asks before it reads one
                for one, text in zip(some, wanted, strict=True):
                    await _judge_and_compare(engine, one, text)
                continue
            [row] = result.rows
            assert dict(zip(some, row, strict=True)) == dict(zip(some, wanted, strict=True))
    finally:
        await engine.close()


async def _judge_and_compare(engine: SqlEngine, expression: str, wanted: str | None) -> None:
    """Read one value past the guard, which is not what is tried here."""
    async with engine.session.using() as connection:
        await connection.execute(engine.session.begin())
        statement = await connection.prepare(f"SELECT {expression}", name="")
        row = await statement.fetchrow()
        await connection.execute(engine.session.end())
    assert row is not None
    assert row[0] == wanted, expression


async def test_types_have_their_names(engine: SqlEngine, kinds: Any) -> None:
    result = await engine.run(
        "SELECT 'calm'::mood, '{calm}'::mood[], 7::small, '{1}'::int[], ROW(1,'x')::pair, 1, 'x'::text"
    )
    names = [column.type for column in result.columns]
    # The server itself names a domain's base.
    assert names == ["mood", "mood[]", "int4", "int4[]", "pair", "int4", "text"], result
    again = await engine.run("SELECT 'calm'::mood, 1")
    assert again.rows == (("calm", "1"),)


async def test_explain_and_show_and_plain_values(server: Server, engine: SqlEngine) -> None:
    for sql in ("SHOW work_mem", "EXPLAIN SELECT 1", "VALUES (1, NULL), (2, '')", "TABLE pg_am"):
        result = await engine.run(sql)
        assert [list(row) for row in result.rows] == printed(server, sql), result


async def test_after_a_type_is_altered_the_next_read_is_right(engine: SqlEngine, kinds: Any) -> None:
    await kinds.execute("CREATE TABLE kinds.things (p kinds.pair, m kinds.mood)")
    await kinds.execute("INSERT INTO kinds.things VALUES (ROW(1, 'x'), 'calm')")
    sql = "SELECT p, m, t FROM kinds.things t"
    assert (await engine.run(sql)).rows == (("(1,x)", "calm", '("(1,x)",calm)'),)
    await kinds.execute(
        "ALTER TYPE kinds.pair ADD ATTRIBUTE c date; ALTER TYPE kinds.mood RENAME VALUE 'calm' TO 'c'"
    )
    await kinds.execute("ALTER TABLE kinds.things ADD COLUMN n int DEFAULT 5")
    assert (await engine.run(sql)).rows == (("(1,x,)", "c", '("(1,x,)",c,5)'),)


@pytest.mark.parametrize(
    "row", ["date '275760-09-13'", "interval '178000000 years'", "'0044-03-15 BC'::date"]
)
async def test_what_a_client_could_not_hold_costs_no_connection(engine: SqlEngine, row: str) -> None:
    pid = (await engine.run("SELECT pg_backend_pid()")).rows
    result = await engine.run(f"SELECT {row}")
    assert result.ok
    assert (await engine.run("SELECT pg_backend_pid()")).rows == pid


async def test_exports_hold_what_psql_prints(server: Server, engine: SqlEngine, tmp_path: Path) -> None:
    sql = (
        "SELECT a.oid, b.oid, 0.1::float4 AS f, 'NaN'::float8 AS nan, 1e40::numeric AS big, '' AS empty,"
        " NULL AS nothing, '\\N' AS marks, E'a\\nb,\"c\"' AS odd, 'infinity'::date AS ever, true AS yes,"
        " 9223372036854775807 AS most, '0/16B3748'::pg_lsn AS oid_2"
        " FROM pg_class a JOIN pg_class b USING (oid) ORDER BY 1 LIMIT 3"
    )
    wanted = printed(server, sql)
    made = {}
    for kind in ("csv", "json"):
        file = ExportFile(tmp_path / f"all.{kind}", kind)  # type: ignore[arg-type]
        result = await engine.stream(sql, (), file.take, 10)
        assert result.ok, result
        file.finish()
        assert file.rows == 3
        made[kind] = file.path.read_bytes().decode()
    copied = psql(server, f"COPY ({sql}) TO STDOUT (FORMAT csv, HEADER, NULL '\\N')")
    # COPY quotes an empty text as well, so both are read back, by a reader that knows quotes from none.
    assert _fields(made["csv"]) == _fields(copied)
    rows = json.loads(made["json"], object_pairs_hook=list, parse_int=str, parse_float=str)
    names = [
        "oid",
        "oid_3",
        "f",
        "nan",
        "big",
        "empty",
        "nothing",
        "marks",
        "odd",
        "ever",
        "yes",
        "most",
        "oid_2",
    ]
    for row, line in zip(rows, wanted, strict=True):
        assert [name for name, _ in row] == names
        values = [{True: "t", False: "f"}.get(one, one) if isinstance(one, bool) else one for _, one in row]
        assert values == line
    [first, *_] = json.loads(made["json"])
    assert (first["f"], first["nan"], first["yes"], first["nothing"]) == (0.1, "NaN", True, None)


def _fields(text: str) -> list[list[str | None]]:
    """Return rows of CSV in which an unquoted \\N is None, a quoted one <\\N>."""
    marked = text.replace("\r\n", "\n").replace('"\\N"', '"<\\N>"')
    return [
        [None if one == "\\N" else one for one in row] for row in csv.reader(marked.splitlines(keepends=True))
    ]


def test_no_column_is_lost_to_another_of_its_name() -> None:
    assert unique_names(["a", "b", "a", "a_2", "a"]) == ["a", "b", "a_3", "a_2", "a_4"]
    assert unique_names(["?column?", "?column?"]) == ["?column?", "?column?_2"]
    assert unique_names([]) == []


def test_what_the_server_cannot_send_is_said_and_the_rest_is_read() -> None:
    async def read() -> None:
        connection = await server.connect()
        await connection.execute(
            "CREATE DATABASE raw ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        await connection.close()
        engine = server.engine("raw")
        pid = (await engine.run("SELECT pg_backend_pid()")).rows
        result = await engine.run("SELECT convert_from('\\x537472615fdf65', 'SQL_ASCII') AS street")
        assert result.sqlstate == "22021"
        shown = await engine.run(
            "SELECT convert_to(convert_from('\\x537472615fdf65', 'SQL_ASCII'), 'SQL_ASCII')"
        )
        assert shown.rows == (("\\x537472615fdf65",),)
        assert (await engine.run("SELECT pg_backend_pid()")).rows == pid
        await engine.close()

    with running("embedded") as server:
        asyncio.run(read())
