"""Defects of the console itself: each is a sentence for the screen, and an entry in the log with its place.

Nothing that runs beside the screen may die quietly. Workers, tasks, timers and listeners hand what they did
not expect to `Faults.report`; the event loop and threads hand over what nobody else caught (`Faults.watch`).
What does not depend on it goes on. Neither the sentence nor the log has the value of a variable: it may be a
secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from isla_console import __version__
from isla_console.text.plain import plain
from isla_console.text.times import utc_text

LOG_NAME: Final = "faults.log"
"""The log's name in the state directory."""
SHOWN_S: Final = 600.0
"""How long after it was last seen a fault is shown."""
_MOST_BYTES: Final = 256 * 1024
"""The log's size at which it becomes `faults.log.1` and a new one begins."""
_MOST_KINDS: Final = 100
_FRAMES: Final = 30
_HOME: Final = str(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Fault:
    """One defect: what the console was at, the error, and the place in its code."""

    doing: str
    error: str
    place: str

    def __str__(self) -> str:
        return f"internal fault {self.doing}: {self.error}{f' ({self.place})' if self.place else ''}"


class Faults:
    """Takes defects, keeps the newest for the screen, and writes them down."""

    def __init__(self, log: Path | None, hide: Callable[[str], str] = lambda text: text) -> None:
        """Open nothing yet.

        Args:
            log: The log's file; None for none.
            hide: Takes secrets out of a text.
        """
        self._log = log
        self._hide = hide
        self._seen: dict[Fault, tuple[int, float]] = {}
        self._logging: _Handler | None = None
        self._hook: Callable[[Any], object] | None = None

    def report(self, error: BaseException, doing: str) -> Fault:
        """Take a defect. `doing` says what the console was at, such as `while drawing the page`."""
        text = self._hide(plain(str(error)))[:200]
        fault = Fault(
            doing, f"{type(error).__name__}: {text}" if text else type(error).__name__, _place(error)
        )
        if fault not in self._seen and len(self._seen) >= _MOST_KINDS:
            del self._seen[min(self._seen, key=lambda one: self._seen[one][1])]
        count = self._seen.get(fault, (0, 0.0))[0] + 1
        self._seen[fault] = (count, time.monotonic())
        if count & (count - 1) == 0:  # the first, then ever rarer: a timer may fail each second for days
            times = f" ({count} times)" if count > 1 else ""
            self._write("\n".join([f"{fault}{times}", *_frames(error)]))
        return fault

    def shown(self) -> tuple[str, ...]:
        """Return the faults of the last minutes as sentences, the newest first."""
        since = time.monotonic() - SHOWN_S
        fresh = [(at, fault, count) for fault, (count, at) in self._seen.items() if at > since]
        fresh.sort(key=lambda one: one[0], reverse=True)
        return tuple(
            f"{fault}{f', {count} times' if count > 1 else ''}. The rest goes on"
            for _, fault, count in fresh[:2]
        )

    async def guard(self, work: Awaitable[None], doing: str) -> bool:
        """Wait for something whose failure is reported here; return whether it was done."""
        try:
            await work
        except Exception as error:
            self.report(error, doing)
            return False
        return True

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take what the event loop, threads and the console's own log report, until `unwatch`."""
        loop.set_exception_handler(self._from_loop)
        if self._hook is None:
            self._hook, threading.excepthook = threading.excepthook, self._from_thread
            self._logging = _Handler(self)
            logging.getLogger("isla_console").addHandler(self._logging)

    def unwatch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let others take it again."""
        loop.set_exception_handler(None)
        if self._hook is not None:
            threading.excepthook, self._hook = self._hook, None
        if self._logging is not None:
            logging.getLogger("isla_console").removeHandler(self._logging)
            self._logging = None

    def _from_loop(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        where = context.get("task") or context.get("future") or context.get("handle")
        name = where.get_name() if isinstance(where, asyncio.Task) else "a callback"
        self.report(
            error if isinstance(error, Exception) else RuntimeError(str(context.get("message", ""))),
            f"in {name}",
        )

    def _from_thread(self, found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None and not isinstance(found.exc_value, SystemExit):
            self.report(found.exc_value, f"in the thread {found.thread.name if found.thread else ''}".strip())

    def write_line(self, text: str) -> None:
        """Write a line of the console's own log."""
        self._write(self._hide(plain(text))[:500])

    def _write(self, text: str) -> None:
        """Append to the log; where that is not possible, the sentence on the screen is all there is."""
        if self._log is None:
            return
        entry = f"{utc_text(datetime.now(UTC))} isla-console {__version__}: {text}\n".encode(errors="replace")
        with contextlib.suppress(OSError):
            self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._log.exists() and self._log.stat().st_size + len(entry) > _MOST_BYTES:
                self._log.replace(self._log.with_name(f"{LOG_NAME}.1"))
            handle = os.open(
                self._log, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600
            )
            try:
                os.write(handle, entry)
            finally:
                os.close(handle)


class _Handler(logging.Handler):
    """Passes what the console's modules log to the log of faults."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(logging.WARNING)
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            self._faults.write_line(f"{record.name}: {record.getMessage()}")


def _place(error: BaseException) -> str:
    """Return the innermost place in the console's own code, as `journal/local.py:120`."""
    own = [frame for frame in _walk(error.__traceback__) if frame.filename.startswith(_HOME)]
    return f"{own[-1].filename[len(_HOME) + 1 :]}:{own[-1].lineno}" if own else ""


def _frames(error: BaseException) -> list[str]:
    """Return the way to the place, a line a function; without source lines, which may quote a value."""
    return [
        f"    {frame.filename.removeprefix(_HOME + os.sep)}:{frame.lineno} in {frame.name}"
        for frame in _walk(error.__traceback__)[-_FRAMES:]
    ]


def _walk(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    return list(traceback.StackSummary.extract(traceback.walk_tb(trace), lookup_lines=False))
