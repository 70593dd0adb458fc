"""A real PgBouncer in front of a server, on whatever port is free."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest

from isla_console.settings.secret import Secret
from isla_console.sql.engine import SqlEngine, pane_session
from tests.sql.conftest import Server
from tests.support.servers import free_port

SERVERS = 2
"""Server connections of the pool: fewer than clients, so that transactions move between them."""
SET = "SELECT name, setting FROM pg_settings WHERE source = 'session' ORDER BY name"
HELD = """
SELECT 'prepared ' || name FROM pg_prepared_statements UNION ALL SELECT 'cursor ' || name FROM pg_cursors
WHERE name <> '' UNION ALL SELECT 'lock ' || objid FROM pg_locks
WHERE locktype = 'advisory' AND pid = pg_backend_pid() UNION ALL SELECT 'listens ' || pg_listening_channels()
"""


@dataclass
class Pooler:
    """PgBouncer with a pool of two connections to `server`."""

    server: Server
    port: int

    def url(self, user: str = "postgres", database: str = "postgres") -> Secret:
        return self.server.url(database, user, self.port)

    def engine(self) -> SqlEngine:
        return SqlEngine(pane_session(self.url(), "isla-console/ana@jump1", "ISLA_DATABASE_URL"))

    async def client(self, database: str = "postgres") -> Any:
        return await asyncpg.connect(self.url(database=database).reveal(), statement_cache_size=0)

    async def left(self) -> dict[int, tuple[list[tuple[str, str]], list[str]]]:
        """What each server connection of the pool has set and holds, by its process."""
        clients = [await self.client() for _ in range(SERVERS)]
        found = {}
        for client in clients:  # each holds its own while its transaction is open
            await client.execute("BEGIN")
            pid = await client.fetchval("SELECT pg_backend_pid()")
            settings = [(row["name"], row["setting"]) for row in await client.fetch(SET)]
            found[pid] = settings, [row[0] for row in await client.fetch(HELD)]
        for client in clients:
            await client.execute("ROLLBACK")
            await client.close()
        return found


@contextlib.contextmanager
def pooling(server: Server, mode: str = "transaction") -> Iterator[Pooler]:
    """PgBouncer before `server`, gone at the end; the test is skipped where it is not installed."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("no pgbouncer: apt-get install pgbouncer")
    with tempfile.TemporaryDirectory(prefix="isla-pool-") as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        (folder / "users").write_text(f'"postgres" "{server.password}"\n')
        (folder / "pool.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nmax_client_conn = 100\n"
            f"auth_file = {folder}/users\npool_mode = {mode}\ndefault_pool_size = {SERVERS}\n"
        )
        process = subprocess.Popen(
            [program, str(folder / "pool.ini")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user="nobody" if os.geteuid() == 0 else None,
            cwd="/",
        )
        try:
            _listens(port)
            yield Pooler(server, port)
        finally:
            process.terminate()
            process.wait(10)


class Writers:
    """Four clients of the application that write all the time; `refused` says what was not done."""

    def __init__(self, pooler: Pooler) -> None:
        self._pooler = pooler
        self._tasks: list[asyncio.Task[None]] = []
        self.written = 0
        self.refused: list[str] = []

    async def __aenter__(self) -> Writers:
        direct = await self._pooler.server.connect()
        await direct.execute("DROP TABLE IF EXISTS clicks; CREATE TABLE clicks (at timestamptz, n int)")
        await direct.close()
        self._tasks = [asyncio.create_task(self._write(number)) for number in range(4)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self, number: int) -> None:
        client = await self._pooler.client()
        try:
            while True:
                try:
                    await client.execute("INSERT INTO clicks VALUES (now(), $1)", number)
                    self.written += 1
                except Exception as error:
                    self.refused.append(repr(error))
                await asyncio.sleep(0.01)
        finally:
            client.terminate()


def _listens(port: int) -> None:
    end = monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if monotonic() > end:
                raise
        else:
            return
