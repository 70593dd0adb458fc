"""What is looked at before a backup or a restore is made, and counted after it.

A backup needs room and a pg_dump that is not older than the server. A restore needs a database that is
empty and is not the one in production. Asked with the steps' own connection, password never in argv.
"""

import asyncio
import importlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from isla_console.monitor.dsn import redact
from isla_console.runbook.check import tools
from isla_console.runbook.steps import Step
from isla_console.settings import Secret

Kind = Literal["", "backup", "restore"]

CONNECT_S: Final = 8.0
_TABLES: Final = """
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
_MOST_COUNTED: Final = 200


@dataclass(frozen=True, slots=True)
class Look:
    """What was found, line by line, and why it must not go on ("" when it may)."""

    lines: tuple[str, ...] = ()
    refused: str = ""


def kind_of(step: Step) -> Kind:
    """Whether a step dumps or restores a database."""
    if step.kind != "shell" or not step.connect:
        return ""
    used = tools(step.run or "")
    if "pg_dump" in used:
        return "backup"
    if "pg_restore" in used or ("psql" in used and re.search(r"--file|\s-f\s|<", step.run or "")):
        return "restore"
    return ""


async def before_backup(dsn: str, file: str, *, path: str | None = None) -> Look:
    """Size, free room and versions for a dump of `dsn` into `file`."""
    found = await asyncio.to_thread(_room, Path(file))
    if isinstance(found, str):
        return Look(refused=found)
    free, folder = found, Path(file).parent
    if _port(dsn) == 6543:
        return Look(refused="port 6543 is the transaction pooler: a dump needs port 5432")
    asked = await _ask(
        dsn,
        "SELECT pg_database_size(current_database()) AS size, current_setting('server_version') AS version",
    )
    if isinstance(asked, str):
        return Look(refused=asked)
    size, server = int(asked[0]["size"]), str(asked[0]["version"])
    lines: tuple[str, ...] = (
        f"the database has {_bytes(size)}; a custom-format dump is most often much smaller",
        f"{_bytes(free)} are free in {folder}",
    )
    if free < size:
        return Look(lines, f"the dump might not fit: {_bytes(size)} to read, {_bytes(free)} free")
    client = await _version("pg_dump", path)
    if client is None:
        return Look(lines)
    lines += (f"pg_dump {client}, server {server}",)
    if _major(client) < _major(server):
        return Look(lines, f"pg_dump {client} is older than the server ({server}): it would refuse")
    return Look(lines)


async def before_restore(dsn: str, production: str, file: str) -> Look:
    """Whether the target is a new or empty database other than production, and the file is a backup."""
    length = await asyncio.to_thread(_length, Path(file))
    if length is None:
        return Look(refused=f"there is no file {file}")
    if production and _place(dsn) == _place(production):
        return Look(refused="the target is the production database: restore into a new one beside it")
    asked = await _ask(dsn, f"SELECT count(*) AS tables FROM ({_TABLES}) AS t")
    if isinstance(asked, str):
        return Look(refused=asked)
    found = int(asked[0]["tables"])
    if found:
        return Look(refused=f"the target is not empty: it has {found} tables; restore into a new database")
    return Look(("the target is empty: 0 tables, 0 rows", f"{file}: {_bytes(length)}"))


async def after_restore(dsn: str) -> Look:
    """Every table of the target with its number of rows."""
    tables = await _ask(dsn, _TABLES)
    if isinstance(tables, str):
        return Look(refused=tables)
    if not tables:
        return Look(refused="the target still has no table")
    chosen = tables[:_MOST_COUNTED]
    counts = await _ask(
        dsn,
        " UNION ALL ".join(
            f"SELECT {_literal(row['schema'] + '.' + row['name'])} AS name, count(*) AS rows "
            f"FROM {_quoted(row['schema'])}.{_quoted(row['name'])}"
            for row in chosen
        ),
        timeout_s=120,
    )
    if isinstance(counts, str):
        return Look(refused=counts)
    return Look(
        (
            f"{len(tables)} tables after the restore",
            *(f"{row['name']}: {row['rows']:,} rows" for row in counts),
        )
    )


def _room(file: Path) -> int | str:
    """Free bytes where a new file is to be written, or why it cannot be."""
    if file.exists():
        return f"{file} is there already: a backup never overwrites one"
    if not file.parent.is_dir():
        return f"there is no folder {file.parent}"
    return shutil.disk_usage(file.parent).free


def _length(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None


async def _ask(dsn: str, sql: str, *, timeout_s: float = 15) -> list[dict[str, Any]] | str:
    """The rows of one statement in a read-only transaction, or why there are none."""
    try:
        asyncpg = await asyncio.to_thread(importlib.import_module, "asyncpg")
        async with asyncio.timeout(CONNECT_S):
            connection = await asyncpg.connect(dsn, statement_cache_size=0)
        try:
            async with asyncio.timeout(timeout_s), connection.transaction(readonly=True):
                return [dict(row) for row in await connection.fetch(sql)]
        finally:
            connection.terminate()
    except TimeoutError:
        return "the database does not answer"
    except Exception as error:
        return redact(f"the database could not be asked: {error}", Secret(dsn))


async def _version(tool: str, path: str | None) -> str | None:
    """What `tool --version` says; None where there is no such program."""
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
        async with asyncio.timeout(5):
            said, _ = await process.communicate()
    except (OSError, TimeoutError):
        return None
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
    """Host, port and database: two addresses of one database agree in them whatever their roles."""
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
