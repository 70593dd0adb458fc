"""The process that owns a drill's platform: PostgreSQL, the services, and the files.

`python -m isla_console.drill.platform.supervisor` reads an `Order` on standard input and writes JSON lines
on standard output: `{"step", "seconds"}` while it starts, then `{"ready"}` or `{"error"}`. When standard
input closes, because the console ended in whatever way, it ends everything; `LEFT` before that means that a
person left the drill.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import asyncpg

from isla_console.drill.platform import runs
from isla_console.drill.platform.live import LivePlatform
from isla_console.drill.platform.order import LEFT, Order
from isla_console.drill.platform.postgres import database, template
from isla_console.drill.platform.postgres.server import PostgresError, Programs, Server, programs
from isla_console.drill.platform.process import ServiceUser, die_with_parent, restore_signals, service_user
from isla_console.drill.scenario.model import ScenarioError, load
from isla_console.drill.score.record import Record, path_of

_GRACE_S = 2.0
"""Seconds that an orderly end may take before it is cut short."""


def main() -> int:
    """Run the platform's process and return its exit code."""
    restore_signals()
    order = Order.from_line(sys.stdin.buffer.readline())
    os.chdir("/")
    root = Path(order.cache)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        run = runs.create(root)
    except OSError as error:
        _send(error=f"the cache cannot be written: {error}")
        return 1
    try:
        return asyncio.run(_Supervisor(order, root, run).main())
    finally:
        run.remove()


class _Supervisor:
    def __init__(self, order: Order, root: Path, run: runs.Run) -> None:
        self._order = order
        self._root = root
        self._run = run
        self._server: Server | None = None
        self._platform: LivePlatform | None = None
        self._over = asyncio.Event()
        self._left = False

    async def main(self) -> int:
        """Start the platform, wait for the end, stop it; return the exit code."""
        loop = asyncio.get_running_loop()
        # These handlers outlast the loop: the console's end is noticed twice, by its closed pipe and by a
        # signal, and a signal that comes while the run's folder is removed must not cut that short.
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(one, lambda *_: self._end(loop))
        # Only now: without handlers the signal would end us and leave the run's folder behind. If the
        # console has already ended, its closed pipe shows that.
        if self._order.parent_thread_lasts:
            die_with_parent(signal.SIGTERM)
        input_watch = loop.create_task(self._watch_input())
        over = loop.create_task(self._over.wait())
        start = loop.create_task(self._start())
        try:
            await asyncio.wait((start, over), return_when=asyncio.FIRST_COMPLETED)
            if not start.done():
                return 1
            if (error := start.result()) is not None:
                _send(error=error)
                return 1
            await self._until_the_end(over)
            return 0
        except BrokenPipeError:  # our messages are no longer read
            return 1
        finally:
            self._cut_short_after(_GRACE_S)
            if self._platform is not None:
                self._platform.stop(cut_off=not self._left)
            if self._server is not None:
                self._server.stop()
            for task in (input_watch, over, start):
                task.cancel()

    async def _start(self) -> str | None:
        """Start everything; return the reason if that fails."""
        began = time.monotonic()
        try:
            scenario = load(self._order.scenario)
            server = programs()
            async with template.locked(self._root):
                isla = await self._open_database(server)
            lap = time.monotonic()
            clicks = await database.seed(isla)
            _step(f"{clicks:,} clicks over 30 days", lap)
            lap = time.monotonic()
            self._platform = LivePlatform(
                isla,
                scenario,
                seed=self._order.seed,
                healthy_s=self._order.healthy_s,
                by_hand=self._order.by_hand,
                speed=self._order.speed,
                quiet=self._order.quiet,
            )
            if self._order.record:
                record = Record.from_json(self._order.record)
                journal = Path(self._order.journal)
                self._platform.keep_record(record, path_of(record, journal.parent), journal)
            environ = await self._platform.start()
            _step("app.isla.link, isla.link, Supabase: on 127.0.0.1", lap)
        except (
            ScenarioError,
            PostgresError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            OSError,
        ) as error:
            if isinstance(error, BrokenPipeError):
                raise
            return str(error) or type(error).__name__
        _send(ready=environ, admin_url=isla.url("postgres"), seconds=time.monotonic() - began)
        return None

    async def _open_database(self, server: Programs) -> database.Database:
        """Start a copy of the template; a cached template that does not start is made again."""
        lap = time.monotonic()
        user = service_user()
        made = await self._template(server, user)
        if made.fresh:
            _step("an empty cluster, kept for later drills", lap)
            lap = time.monotonic()
        try:
            isla = await self._open_copy(made, server, user)
        except (PostgresError, asyncpg.PostgresError, OSError):
            if made.fresh:
                raise
            if self._server is not None:
                self._server.stop()
            template.forget(self._root, self._run.folder)
            shutil.rmtree(self._run.data, ignore_errors=True)
            isla = await self._open_copy(await self._template(server, user), server, user)
        _step(f"PostgreSQL {server.version}", lap)
        return isla

    async def _template(self, server: Programs, user: ServiceUser | None) -> template.Template:
        return await template.obtain(
            self._root,
            self._run.folder,
            server,
            user,
            lambda: _send(note="preparing PostgreSQL for the first time"),
        )

    async def _open_copy(
        self, made: template.Template, server: Programs, user: ServiceUser | None
    ) -> database.Database:
        await asyncio.to_thread(made.copy, self._run.data, user)
        self._server = await Server.start(server, self._run.data, self._run.log, user)
        return await database.take_over(self._server.port, made.password)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the end is under way
            loop.call_soon_threadsafe(self._over.set)

    async def _watch_input(self) -> None:
        """Wait until standard input closes, because the console has ended, and note whether it was left."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        while line := await reader.readline():
            self._left = self._left or line == LEFT
        self._over.set()

    async def _until_the_end(self, over: asyncio.Task[bool]) -> None:
        """Wait until the console has ended, a signal comes, or PostgreSQL has ended."""
        while not over.done() and self._server is not None and self._server.running:
            await asyncio.wait((over,), timeout=0.25)

    def _cut_short_after(self, seconds: float) -> None:
        """End at once, with the same result, if the orderly end takes longer."""

        def cut() -> None:
            if self._server is not None:
                self._server.stop()
            self._run.remove()
            os._exit(1)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()


def _step(text: str, began: float) -> None:
    _send(step=text, seconds=time.monotonic() - began)


def _send(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
