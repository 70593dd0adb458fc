"""What holds a backup or a restore up, on a real PostgreSQL."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from isla_console.drill.launch import Platform
from isla_console.drill.platform.postgres.server import programs
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.runbook.steps import Input
from isla_console.steps import backup, dump
from isla_console.steps.environment import libpq
from isla_console.steps.outcome import Outcome
from tests.steps.support import Bench, shell_step
from tests.support.platform import running_platform

PROGRAMS = Path(programs().folder)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("backup")) as running:
        yield running


async def fresh(platform: Platform, name: str) -> str:
    """The address of a new, empty database."""
    admin = await asyncpg.connect(platform.admin_url)
    await admin.execute(f"DROP DATABASE IF EXISTS {name}")
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    return platform.admin_url.rpartition("/")[0] + f"/{name}"


def test_which_steps_they_are() -> None:
    runbook = load_runbook(resource("runbook.yaml")).runbook
    kinds = {step.id: kind for step in runbook.all_steps() if (kind := backup.kind_of(step))}
    assert kinds == {"recovery-backup": "backup", "recovery-restore": "restore"}
    assert backup.kind_of(shell_step("psql --file x.sql", connect="X")) == "restore"
    assert backup.kind_of(shell_step("psql -c 'select 1'", connect="X")) == ""


@pytest.mark.slow
async def test_before_a_backup(platform: Platform, tmp_path: Path) -> None:
    url, file = platform.admin_url, tmp_path / "b.dump"
    look = await backup.before_backup(url, str(file), path="/nonexistent")
    assert look.refused == ""
    assert "MiB" in look.lines[0]
    assert f"are free in {tmp_path}" in look.lines[1]
    file.write_text("x")
    assert "never overwrites" in (await backup.before_backup(url, str(file))).refused
    assert "no folder" in (await backup.before_backup(url, "/no/such/b.dump")).refused
    other = str(tmp_path / "c.dump")
    closed = await backup.before_backup("postgresql://a:hunter22@127.0.0.1:1/x", other)
    assert closed.refused
    assert "hunter22" not in closed.refused
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    old.chmod(0o755)
    assert "older than the server" in (await backup.before_backup(url, other, path=str(tmp_path))).refused


@pytest.mark.slow
async def test_before_a_restore(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "b.dump"
    empty = await fresh(platform, "empty_one")
    assert "no file" in (await backup.before_restore(empty, platform.admin_url, str(file))).refused
    file.write_bytes(b"PGDMP")
    look = await backup.before_restore(empty, platform.admin_url, str(file))
    assert (look.refused, look.lines[0]) == ("", "the target is empty: 0 tables, 0 rows")
    # Another role of the same database is still the same database.
    readonly = platform.environ["ISLA_DATABASE_URL"]
    assert "production" in (await backup.before_restore(platform.admin_url, readonly, str(file))).refused
    assert "not empty" in (await backup.before_restore(platform.admin_url, empty, str(file))).refused
    assert "no table" in (await backup.after_restore(empty, str(file))).refused
    await do(empty, "CREATE VIEW v AS SELECT 1")
    look = await backup.before_restore(empty, platform.admin_url, str(file))
    assert "1 views, sequences or foreign tables" in look.refused


SOURCE = """
CREATE SCHEMA "odd schema";
CREATE TABLE "odd schema"."we""ird 'name" AS SELECT generate_series(1, 3);
CREATE TABLE texts AS
    SELECT 'a' || chr(10) || '\\.' || chr(10) || '\\! touch x' AS t FROM generate_series(1, 7);
CREATE TABLE nothing (id int);
CREATE TABLE days (day date, n int) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO days VALUES ('2026-01-05', 1), ('2026-01-06', 2), ('2026-02-01', 3);
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
/*
\\d
*/
COMMIT;
END $$;
CREATE VIEW v AS SELECT 'it''s \\ E' AS t;
"""
EACH = (
    "odd schema.we\"ird 'name: 3 rows",
    "public.days_1: 2 rows",
    "public.days_2: 1 row",
    "public.nothing: 0 rows",
    "public.texts: 7 rows",
)


@pytest.fixture(scope="module")
def source(platform: Platform) -> str:
    """A database with tables of every sort that a backup writes down in its own way."""

    async def make() -> str:
        url = await fresh(platform, "source_of_all")
        await do(url, SOURCE)
        return url

    return asyncio.run(make())


async def do(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


def dumped(url: str, file: Path, *options: str) -> Path:
    """A backup of a database, by the server's own pg_dump."""
    subprocess.run(
        [PROGRAMS / "pg_dump", *options, "--file", file],
        env={"PATH": "/usr/bin:/bin", **libpq(url)},
        check=True,
    )
    return file


async def restored(folder: Path, url: str, file: Path) -> Outcome:
    """What the runbook's own step comes to."""
    step = load_runbook(resource("runbook.yaml")).runbook.step("recovery-restore")
    declared = {"RESTORE_URL": Input(title="Into", type="dsn"), "BACKUP_FILE": Input(title="File")}
    bench = Bench(folder, declared, PATH=f"{PROGRAMS}:{os.environ['PATH']}")
    bench.runner._person = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(folder)}
    bench.inputs.remember("RESTORE_URL", url, "typed")
    bench.inputs.remember("BACKUP_FILE", str(file), "typed")
    return await bench.do(step)


async def tables(url: str) -> int:
    connection = await asyncpg.connect(url)
    found = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return int(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ("--format=custom",),
        ("--format=plain",),
        ("--format=plain", "--no-restrict"),
        ("--format=plain", "--load-via-partition-root"),
    ],
    ids=["archive", "SQL", "SQL of an older pg_dump", "by the parent"],
)
async def test_there_and_back(
    platform: Platform, source: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Restored whole, and every table held against the backup."""
    if "--no-restrict" in options:
        file = dumped(source, tmp_path / "b", "--format=plain")
        lines = file.read_bytes().split(b"\n")
        file.write_bytes(b"\n".join(line for line in lines if b"restrict " not in line))
    else:
        file = dumped(source, tmp_path / "b", *options)
    before = await backup.after_backup(str(file), path=str(PROGRAMS))
    assert before.refused == ""
    url = await fresh(platform, "back_again")
    look = await backup.before_restore(url, platform.admin_url, str(file))
    assert look.refused == ""
    outcome = await restored(tmp_path, url, file)
    assert (outcome.exit_code, outcome.met) == (0, True), outcome
    after = await backup.after_restore(url, str(file), path=str(PROGRAMS))
    assert after.refused == "", after
    if "--load-via-partition-root" in options:
        assert before.lines[0] == "4 tables, 13 rows in the backup"
        assert "public.days: 3 rows" in before.lines
        return
    assert before.lines == ("5 tables, 13 rows in the backup", *EACH)
    assert after.lines[0] == "5 tables, 13 rows now: each table as in the backup"
    assert set(EACH) < set(after.lines)
    # Rows that went, and a table that the backup does not have.
    await do(url, "DELETE FROM texts; DROP TABLE nothing; CREATE TABLE more AS SELECT 1")
    after = await backup.after_restore(url, str(file), path=str(PROGRAMS))
    assert after.refused == "3 tables differ from the backup"
    assert after.lines[:3] == (
        "public.more: 1 row now, not there in the backup",
        "public.nothing: not there now, 0 rows in the backup",
        "public.texts: 0 rows now, 7 rows in the backup",
    )


@pytest.mark.slow
async def test_a_backup_that_is_cut_off(source: str, tmp_path: Path) -> None:
    """Its list of contents is whole, its data are not."""
    whole = dumped(source, tmp_path / "whole", "--format=custom").read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[:-60])
    assert "could not be read to its end" in (await backup.after_backup(str(cut), path=str(PROGRAMS))).refused
    text = dumped(source, tmp_path / "text").read_bytes()
    cut.write_bytes(text[: text.index(b"2026-02-01\t3")])
    assert "the file is cut off" in (await backup.after_backup(str(cut))).refused
    cut.write_bytes(whole)
    look = await backup.after_backup(str(cut), path="/nonexistent")
    assert look.lines == ("pg_restore is not installed here",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "\\! touch {mark}",
        "SELECT 1 \\! touch {mark}",
        "\\o |touch {mark}",
        "SELECT 1 \\g |touch {mark}",
        "\\set x `touch {mark}`",
        "\\copy t from program 'touch {mark}'",
        "SELECT 'touch {mark}' \\gexec",
        "\\connect postgres",
        "SELECT (1;\nCOPY t (t) FROM stdin;\n\\! touch {mark}\n\\.\n);",
        "SELECT no_such_function();",
    ],
)
@pytest.mark.parametrize("dump", ["plain", "restricted"])
async def test_psql_obeys_nothing_in_a_file(
    platform: Platform, source: str, tmp_path: Path, dump: str, line: str
) -> None:
    """Also where nobody looked at the file before: nothing runs here, and nothing stays in the database."""
    mark, file = tmp_path / "mark", tmp_path / "evil.sql"
    evil = line.replace("{mark}", str(mark))
    if dump == "plain":
        file.write_text(f"CREATE TABLE t (t text);\n{evil}\n")
    else:
        file.write_text(f"\\restrict abc\nCREATE TABLE t (t text);\n{evil}\n\\unrestrict abc\n")
    url = await fresh(platform, "evil_one")
    outcome = await restored(tmp_path, url, file)
    assert not mark.exists()
    assert outcome.exit_code not in {0, 127}, outcome
    assert await tables(url) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1f\x8b\x08rest", "compressed (gzip): gunzip --keep"),
        (b"\x28\xb5\x2f\xfdrest", "compressed (Zstandard): unzstd"),
        ("-- SQL".encode("utf-16"), "UTF-16"),
        (b"x" * 257 + b"ustar\x00", "tar archive"),
        (b"\x7fELF\0\0", "neither an archive of pg_dump nor SQL"),
        (b" \n", "it is empty"),
        (b"-- x\nCREATE TABLE t ();\n\\! ls\n", "line 3: \\! is a command to psql"),
        (b"\\c other\n", "line 1: \\c would go to another database"),
        (b"\\connect other\n", "line 1: \\connect would go to another database"),
        (b"begin;\n", "line 1: a BEGIN of its own"),
        (b"SELECT 1;\nCOMMIT ;\n", "line 2: a COMMIT of its own"),
        (b"\\restrict a\n\\unrestrict a\nSELECT 1;\n", "line 3: something follows its \\unrestrict"),
        (b"\\restrict a\n\\unrestrict b\n", "line 2: \\unrestrict is a command to psql"),
        (b"\\restrict a\nSELECT 1 \\unrestrict a\n\\unrestrict a\n", "in the midst of it"),
        (b"\\unrestrict `touch x`\n", "line 1: \\unrestrict is a command"),
        (b"\\restrict a\n\\unrestrict a `touch x`\n", "line 2: \\unrestrict is a command"),
        (b"\\restrict a `touch x`\n\\unrestrict a\n", "line 1: \\restrict is a command"),
        (b"SELECT 1 \\unrestrict `touch x`\n", "in the midst of it"),
        (b"SELECT 1;\n\\restrict a\n\\unrestrict a\n", "line 2: \\restrict is a command"),
        (b"\\restrict a\nSELECT 1;\n", "cut off"),
        (b"COPY public.t (a) FROM stdin;\n1\n2\n", "within the data of public.t: the file is cut off"),
        (b"COPY t (a) FROM stdin;\n1\n\\.\n\\! x\n", "line 4: \\! is"),
    ],
)
async def test_a_file_that_is_not_restored(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "backup"
    file.write_bytes(content)
    assert said in (await dump.examine(file)).refused


async def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in (await dump.examine(tmp_path / "none")).refused
    assert "cannot be read" in (await dump.examine(tmp_path)).refused


async def test_what_a_backup_may_hold(tmp_path: Path) -> None:
    """What looks like a command and is a function's text or a table's data is neither."""
    file = tmp_path / "b.sql"
    body = (
        "CREATE FUNCTION f() AS $x$\nCOMMIT;\n\\d $$ \n$x$;\nCOPY t (a) FROM stdin;\n\\\\! x\nBEGIN;\n\\.\n"
    )
    file.write_text(body)
    found = await dump.examine(file)
    assert (found.refused, found.rows) == ("", {("public", "t"): 2})
    file.write_text(body.replace("\n", "\r\n"), newline="")
    found = await dump.examine(file)
    assert (found.refused, found.rows) == ("", {("public", "t"): 2})
    file.write_text("INSERT INTO t VALUES (1);\n")
    found = await dump.examine(file)
    assert (found.refused, found.rows) == ("", None)
    assert "INSERT" in found.unknown


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 4096])
def test_rows_however_they_come(size: int) -> None:
    """Counted alike wherever the chunks end; a long line does not stay in memory."""
    text = (
        b"-- x\nCOPY public.a (x, y) FROM stdin;\n1\t\\.\n\\\\.\n" + b"z" * 30_000 + b"\n\\.\n\n"
        b'COPY "A b"."c""d" FROM stdin;\n\\.\nSELECT ' + b"1" * 30_000 + b";\nCOPY b (x) FROM stdin;\n1\n\\."
    )
    reader = dump.Reader()
    for start in range(0, len(text), size):
        reader.feed(text[start : start + size])
        assert len(reader._rest) < 3 * 4096 + size
    found = reader.contents("sql")
    assert (found.refused, found.rows) == ("", {("public", "a"): 3, ("A b", 'c"d'): 0, ("public", "b"): 1})
