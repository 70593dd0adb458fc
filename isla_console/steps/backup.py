"""The checks before a backup or a restore, and the count of rows after it, table by table.

A backup needs disk space and a pg_dump that is not older than the server. A restore needs a database that
is empty and is not production's. The checks use a connection of their own; a password is never in argv.
"""

from __future__ import annotations

import asyncio
import importlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from isla_console.database.dsn import redact_address
from isla_console.runbook.shell import tools
from isla_console.runbook.steps import Step
from isla_console.settings.secret import Secret
from isla_console.steps import dump

Kind = Literal["", "backup", "restore"]

CONNECT_S: Final = 8.0
_OBJECTS: Final = """
SELECT n.nspname AS schema, c.relname AS name, c.relkind IN ('r', 'p') AS is_table,
       c.relkind = 'p' OR c.relispartition AS is_divided
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
_AT_ONCE: Final = 200
"""How many tables one statement counts."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found, line by line, and why the step must not go on ("" when it may)."""

    lines: tuple[str, ...] = ()
    refused: str = ""

    @property
    def text(self) -> str:
        """What was found, the worst line first."""
        return "\n".join(part for part in (self.refused, *self.lines) if part)


def kind_of(step: Step) -> Kind:
    """Return whether a step dumps or restores a database."""
    if step.kind != "shell" or not step.connect:
        return ""
    used = tools(step.run or "")
    if "pg_dump" in used:
        return "backup"
    if "pg_restore" in used or ("psql" in used and re.search(r"--file|\s-f\s|<", step.run or "")):
        return "restore"
    return ""


def file_of(values: Mapping[str, str]) -> str:
    """Return the file that a step writes or reads, among its values."""
    return next((text for name, text in values.items() if "FILE" in name), "")


async def before_backup(dsn: str, file: str, *, path: str | None = None) -> CheckResult:
    """Check the size, the free space and the versions for a dump of `dsn` into `file`."""
    found = await asyncio.to_thread(_room, Path(file))
    if isinstance(found, str):
        return CheckResult(refused=found)
    free, folder = found, Path(file).parent
    if refused := await _shared(dsn):
        return CheckResult(refused=refused)
    asked = await _ask(
        dsn,
        "SELECT pg_database_size(current_database()) AS size, current_setting('server_version') AS version",
    )
    if isinstance(asked, str):
        return CheckResult(refused=asked)
    size, server = int(asked[0]["size"]), str(asked[0]["version"])
    lines: tuple[str, ...] = (
        f"the database has {_bytes(size)}; a custom-format dump is most often much smaller",
        f"{_bytes(free)} are free in {folder}",
    )
    if free < size:
        return CheckResult(lines, f"the dump might not fit: {_bytes(size)} to read, {_bytes(free)} free")
    client = await _version("pg_dump", path)
    if client is None:
        return CheckResult(lines)
    lines += (f"pg_dump {client}, server {server}",)
    if _major(client) < _major(server):
        return CheckResult(lines, f"pg_dump {client} is older than the server ({server}): it would refuse")
    return CheckResult(lines)


async def after_backup(file: str, *, path: str | None = None) -> CheckResult:
    """Count what is in the backup, reading it to its end: a list of its contents does not prove it whole."""
    found = await dump.count(Path(file), programs=path)
    if found.refused or found.rows is None:
        return CheckResult(refused=found.refused, lines=(found.unknown,) if found.unknown else ())
    return CheckResult((_all(found.rows, "in the backup"), *_each(found.rows)))


async def before_restore(dsn: str, production: str, file: str) -> CheckResult:
    """Check that the target is an empty database other than production, and that the file is a backup."""
    length = await asyncio.to_thread(_length, Path(file))
    if length is None:
        return CheckResult(refused=f"there is no file {file}")
    if production and _place(dsn) == _place(production):
        return CheckResult(refused="the target is the production database: restore into a new one beside it")
    if refused := await _shared(dsn):
        return CheckResult(refused=refused)
    asked = await _ask(dsn, _OBJECTS)
    if isinstance(asked, str):
        return CheckResult(refused=asked)
    if asked:
        tables = sum(row["is_table"] for row in asked)
        what = f"{tables} tables" if tables else f"{len(asked)} views, sequences or foreign tables"
        return CheckResult(refused=f"the target is not empty: it has {what}; restore into a new database")
    contents = await dump.examine(Path(file))
    if contents.refused:
        return CheckResult(refused=f"{file}: {contents.refused}")
    by = "an archive, restored by pg_restore" if contents.form == "archive" else "SQL text, restored by psql"
    known = (_all(contents.rows, "in the backup"),) if contents.rows is not None else ()
    return CheckResult(("the target is empty: 0 tables, 0 rows", f"{file}: {_bytes(length)}, {by}", *known))


async def after_restore(dsn: str, file: str, *, path: str | None = None) -> CheckResult:
    """Compare every table's rows in the restored database with those in the backup."""
    contents = await dump.count(Path(file), programs=path)
    found = await _rows(dsn)
    if isinstance(found, str):
        return CheckResult(refused=found)
    there, divided = found
    if not there:
        return CheckResult(refused="the target still has no table")
    if contents.refused or contents.rows is None:
        why = contents.refused or contents.unknown
        return CheckResult((f"not compared with the backup: {why}", _all(there, "now"), *_each(there)))
    expected = contents.rows
    differ = [
        f"{dump.name_of(table)}: {_rows_word(there.get(table))} now, "
        f"{_rows_word(expected.get(table))} in the backup"
        for table in sorted({*there, *expected})
        # A partitioned table's rows may be in the backup under its partitions, or the other way round.
        if there.get(table) != expected.get(table)
        and not (table not in expected and (table in divided or not there[table]))
    ]
    if differ:
        word = "table differs" if len(differ) == 1 else "tables differ"
        return CheckResult((*differ, _all(there, "now")), f"{len(differ)} {word} from the backup")
    return CheckResult((f"{_all(expected, 'now')}: each table as in the backup", *_each(there)))


async def _rows(dsn: str) -> tuple[dict[dump.Table, int], set[dump.Table]] | str:
    """Return the rows by table, and which tables are partitioned or partitions; or why that is not known."""
    objects = await _ask(dsn, _OBJECTS)
    if isinstance(objects, str):
        return objects
    tables = [row for row in objects if row["is_table"]]
    found: dict[dump.Table, int] = {}
    for start in range(0, len(tables), _AT_ONCE):
        counts = await _ask(
            dsn,
            " UNION ALL ".join(
                f"SELECT {_literal(row['schema'])} AS schema, {_literal(row['name'])} AS name, "
                f"count(*) AS rows FROM {_quoted(row['schema'])}.{_quoted(row['name'])}"
                for row in tables[start : start + _AT_ONCE]
            ),
            timeout_s=600,
        )
        if isinstance(counts, str):
            return counts
        found |= {(row["schema"], row["name"]): int(row["rows"]) for row in counts}
    return found, {(row["schema"], row["name"]) for row in tables if row["is_divided"]}


def _all(rows: Mapping[dump.Table, int], where: str) -> str:
    tables = "1 table" if len(rows) == 1 else f"{len(rows):,} tables"
    return f"{tables}, {_rows_word(sum(rows.values()))} {where}"


def _each(rows: Mapping[dump.Table, int]) -> tuple[str, ...]:
    return tuple(f"{dump.name_of(table)}: {_rows_word(count)}" for table, count in sorted(rows.items()))


def _rows_word(count: int | None) -> str:
    return "not there" if count is None else "1 row" if count == 1 else f"{count:,} rows"


def _room(file: Path) -> int | str:
    """Return the free bytes where a new file is to be written, or why it cannot be written."""
    if file.exists():
        return f"{file} is there already: a backup never overwrites one"
    if not file.parent.is_dir():
        return f"there is no folder {file.parent}"
    return shutil.disk_usage(file.parent).free


def _length(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None


async def _shared(dsn: str) -> str:
    """Return why the address is not for pg_dump and its like: what they set would be left to others.

    They set a search path and time limits for the session, which a transaction pooler hands on.
    """
    try:
        driver = await asyncio.to_thread(importlib.import_module, "isla_console.database.driver")
        async with asyncio.timeout(2 * CONNECT_S):
            shared = await driver.hands_connections_on(dsn)
    except TimeoutError:
        return "the database does not answer"
    except Exception as error:
        return _not_asked(error, dsn)
    if not shared:
        return ""
    return "a transaction pooler is at this address: it needs the database's own, or the session pooler's"


async def _ask(dsn: str, sql: str, *, timeout_s: float = 15) -> list[Mapping[str, Any]] | str:
    """Return the rows of one statement in a read-only transaction, or why there are none."""
    try:
        driver = await asyncio.to_thread(importlib.import_module, "isla_console.database.driver")
        async with asyncio.timeout(CONNECT_S):
            connection = await driver.connect(dsn)
        try:
            async with asyncio.timeout(timeout_s):
                # Without this, rows that a policy hides would silently be missing; with it they are an error.
                await connection.execute("BEGIN READ ONLY; SET LOCAL row_security = off")
                rows: list[Mapping[str, Any]] = await connection.fetch(sql)
                await connection.execute("ROLLBACK")
                return rows
        finally:
            connection.terminate()
    except TimeoutError:
        return "the database does not answer"
    except Exception as error:
        return _not_asked(error, dsn)


def _not_asked(error: Exception, dsn: str) -> str:
    return redact_address(f"the database could not be asked: {error}", Secret(dsn))


async def _version(tool: str, path: str | None) -> str | None:
    """Return what `tool --version` says; None where the program is missing."""
    program = shutil.which(tool, path=path)
    if program is None:
        return None
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "--version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(5):
            said, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    found = re.search(rb"\d+(?:\.\d+)*", said)
    return found[0].decode() if found else None


def _major(version: str) -> int:
    return int(re.match(r"\d*", version)[0] or 0)  # type: ignore[index]  # \d* always matches


def _port(dsn: str) -> int:
    try:
        return urlsplit(dsn).port or 5432
    except ValueError:
        return 5432


def _place(dsn: str) -> tuple[str, int, str]:
    """Return host, port and database, which are the same in all addresses of one database."""
    parts = urlsplit(dsn)
    return (
        parts.hostname or "",
        _port(dsn),
        unquote(parts.path.lstrip("/")) or unquote(parts.username or ""),
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _bytes(size: int) -> str:
    value = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return ""
