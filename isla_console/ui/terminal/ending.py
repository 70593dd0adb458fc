"""The signals that end a program, heard whatever the program is doing.

A handler of Python runs when the main thread comes to it; one of asyncio, when the event loop does. Neither
has to happen: the thread may write to a terminal that nobody reads. So a thread of its own hears the signals,
tells the console, and ends the process when the console does not.
"""

from __future__ import annotations

import contextlib
import math
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from os import _exit as end_process
from types import TracebackType
from typing import Any

ENDING = tuple(
    getattr(signal, name)
    for name in (
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF",
        "SIGXCPU", "SIGIO", "SIGPWR", "SIGSTKFLT",
    )
    if hasattr(signal, name)
)  # fmt: skip
"""Every signal that by default ends a process and can be heard. The others are faults, or cannot."""
FROM_KEYS = frozenset({signal.SIGINT, signal.SIGQUIT})
"""What a terminal sends for ctrl+c and ctrl+\\, to every program in front of it."""
LENT, TAKEN_BACK = b"\xfe", b"\xff"
"""Among the bytes of signals: whose the keys of the terminal are from here on."""
LATE_S = 1.0
"""Seconds after the terminal is ours again in which such a key may still be heard.

The kernel gives a signal to the main thread, or to another one while that has one waiting: that thread
hears it when it next runs.
"""
END_S = 1.7
"""Seconds that the console has to end by itself after such a signal."""


class EndingSignals:
    """Hears the ending signals as long as its context lasts, and until the process ends once one came."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        """The first of them that came."""
        self._lock = threading.Lock()
        self._tell: Callable[[int], None] | None = None
        self._last_words: Callable[[], None] = lambda: None
        self._before: dict[signal.Signals, Any] = {}
        self._wakeup = -1

    def connect(self, tell: Callable[[int], None], last_words: Callable[[], None]) -> None:
        """Tell somebody of the first signal, also when it came before.

        Args:
            tell: Called from another thread.
            last_words: Called before the process is ended by force, also from another thread; it must not
                wait for anything.
        """
        with self._lock:
            self._tell, self._last_words = tell, last_words
            received = self.received
        if received is not None:
            tell(received)

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """While another program has the terminal, its keys are for that program, not for us.

        A signal is heard some time after it came: what it was for is told by its place among the others.
        """
        self._mark(LENT)
        try:
            yield
        finally:
            self._mark(TAKEN_BACK)

    def _mark(self, mark: bytes) -> None:
        while self.received is None:
            with contextlib.suppress(BlockingIOError):
                self._called.send(mark)
                return
            time.sleep(0.001)  # so many signals that the thread has to read some first

    def __enter__(self) -> EndingSignals:
        self._hears, self._called = socket.socketpair()
        self._called.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._called.fileno(), warn_on_full_buffer=False)
        for number in ENDING:
            self._before[number] = signal.signal(number, lambda *_: None)
        threading.Thread(target=self._hear, name="signals", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.received is not None:
            return  # what is printed at the end must not wait either
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._called.close()

    def _hear(self) -> None:
        """Wait for a signal: each of the process is one byte here."""
        lent_until = 0.0
        while data := self._hears.recv(1):
            if data in {LENT, TAKEN_BACK}:
                lent_until = math.inf if data == LENT else time.monotonic() + LATE_S
                continue
            with contextlib.suppress(ValueError):
                number = signal.Signals(data[0])
                if number in ENDING and not (number in FROM_KEYS and time.monotonic() < lent_until):
                    break
        else:
            self._hears.close()
            return
        with self._lock:
            self.received, tell = number, self._tell
        if tell is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed: it ends already
                tell(number)
        time.sleep(END_S)
        # Here only if the process is still there. What was done is on disk.
        with contextlib.suppress(Exception):
            self._last_words()
        end_process(128 + number)
