"""The SQL page in a real terminal, its server killed, its network hung, and how quick keys are meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from types import TracebackType

from tests.sql.conftest import Server
from tests.support.servers import Proxy
from tests.support.terminal import KEYS, Terminal
from tests.support.waiting import PATIENCE_S

F5 = "\x1b[15~"
SELECT_ALL = "\x1b[18~"
END = "\x1b[F"
PAGE = "x run  i edit"
LOST_S = 10.0
"""How long a key may be without an effect before it counts as lost."""


class Wire:
    """A proxy to a port, in a thread of its own; `hang` stops it forwarding and closes nothing."""

    def __init__(self, target: int) -> None:
        self._proxy = Proxy(target)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Wire:
        self._thread.start()
        self._listener = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def hang(self) -> None:
        self._loop.call_soon_threadsafe(self._proxy.flowing.clear)

    def flow(self) -> None:
        self._loop.call_soon_threadsafe(self._proxy.flowing.set)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._handle, "127.0.0.1", 0)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._proxy.handle(reader, writer)
        writer.close()

    async def _end(self) -> None:
        self._listener.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def kill(server: Server) -> None:
    """End the server's postmaster at once, as a crash or the kernel's memory killer does."""
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)


def start_again(server: Server, seconds: float = PATIENCE_S) -> None:
    """Start it as soon as the killed one's processes have left its memory."""
    end = time.monotonic() + seconds
    while True:
        try:
            server.start()
        except subprocess.CalledProcessError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def seconds_for(terminal: Terminal, keys: str, wanted: Callable[[Terminal], bool]) -> float:
    """From pressing to the effect on the screen."""
    started = time.monotonic()
    os.write(terminal.fd, keys.encode())
    while not wanted(terminal):
        left = started + LOST_S - time.monotonic()
        assert left > 0, f"{keys!r} had no effect in {LOST_S:g} s:\n{terminal.text}"
        terminal.read_once(left)
    return time.monotonic() - started


def press_around(terminal: Terminal) -> list[float]:
    """Leave the editor, change pages, move the cursor, come back and type: seconds for each key."""
    terminal.send("escape")
    terminal.read(0.3)  # an Escape is one only when nothing follows it
    times = [seconds_for(terminal, "h", _shows("all keys"))]
    terminal.read(0.3)  # the page's cursor is painted after its text
    for key in (KEYS["down"], KEYS["up"]):
        times.append(seconds_for(terminal, key, _unlike(_painted(terminal))))
    times += [seconds_for(terminal, "2", _shows("Symptoms")), seconds_for(terminal, "s", _shows(PAGE))]
    terminal.send("i")
    terminal.read(0.3)
    terminal.send(END)
    typed = ""
    for letter in "xyzzy":
        typed += letter
        times.append(seconds_for(terminal, letter, _shows(typed)))
    for _ in typed:
        terminal.send("backspace")
    return times


def _shows(wanted: str) -> Callable[[Terminal], bool]:
    return lambda terminal: wanted in terminal.text


def _unlike(before: list[tuple[str, bool]]) -> Callable[[Terminal], bool]:
    return lambda terminal: _painted(terminal) != before


def _painted(terminal: Terminal) -> list[tuple[str, bool]]:
    """The colours down the page's left side: where its cursor is."""
    column = [terminal.screen.buffer[row][28] for row in range(terminal.screen.lines)]
    return [(cell.bg, cell.reverse) for cell in column]


def on_sql(terminal: Terminal) -> None:
    terminal.wait_for("all keys")
    terminal.send("s")
    terminal.wait_for(PAGE)


def run_statement(terminal: Terminal, sql: str) -> None:
    """Put a statement into the editor in place of what is there, and run it from there."""
    terminal.send("i")
    terminal.read(0.4)  # a key pressed ahead goes to where the focus was
    terminal.send(SELECT_ALL, sql)
    terminal.wait_for(sql)
    terminal.send(F5)
