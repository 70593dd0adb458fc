"""Writing to a terminal that may stop reading.

A stalled connection, a stopped viewer or a slow link takes nothing for a while. Nobody waits for it here:
what does not fit is kept and written when the terminal reads again, and whoever draws looks at `is_behind`
and leaves frames out. What is kept is bounded, and what does not fit is refused whole: a terminal never gets
half of a sequence.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
from collections.abc import Callable
from time import monotonic

LIMIT = 256 * 1024
"""The most bytes that wait. A frame is a tenth of it, the longest text to copy less than half."""


def ring(descriptor: int) -> None:
    """Ring the bell of a terminal that another program draws on, which it does not see; never wait for it."""
    with contextlib.suppress(OSError):
        own = os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            os.write(own, b"\a")
        finally:
            os.close(own)


class Output:
    """The way to one terminal, from its opening to its closing."""

    def __init__(
        self, descriptor: int, encoding: str, *, cleared: Callable[[float], None], gone: Callable[[], None]
    ) -> None:
        """Open the terminal behind a descriptor.

        Args:
            descriptor: Of the terminal.
            encoding: Of its characters.
            cleared: Called when all is written after the terminal took nothing, with the longest time, in
                seconds, in which it took nothing at all.
            gone: Called once when the terminal is no longer there.
        """
        self._shared = descriptor
        self._descriptor = _open_own(descriptor)
        if not self.has_own:
            os.set_blocking(descriptor, False)
        self._encoding = encoding
        self._cleared = cleared
        self._gone: Callable[[], None] | None = gone
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._is_watched = False
        self._is_due = False
        self._moved_at = 0.0
        self._longest = 0.0

    @property
    def has_own(self) -> bool:
        """Whether not to wait is set for us alone, and not for all that have this terminal open."""
        return self._descriptor != self._shared

    @property
    def is_behind(self) -> bool:
        """Whether the terminal has not taken all yet: what is drawn now would come too late."""
        return self._is_watched

    def write(self, text: str) -> bool:
        """Write whole sequences, soon; return False if there are too many, and none is written."""
        data = text.encode(self._encoding, "replace")
        if self._gone is None or len(self._waiting) + len(data) > LIMIT:
            return False
        self._waiting += data
        if not self._is_due and not self._is_watched:
            self._is_due = True
            self._loop.call_soon(self.flush)
        return True

    def flush(self) -> None:
        """Write now what the terminal takes."""
        self._is_due = False
        if not self._is_watched:
            self._write_some()
            if self._waiting:
                self._is_watched, self._moved_at, self._longest = True, monotonic(), 0.0
                self._loop.add_writer(self._descriptor, self._on_ready)

    def _on_ready(self) -> None:
        """Go on writing, as the terminal reads again."""
        now = monotonic()
        self._longest, self._moved_at = max(self._longest, now - self._moved_at), now
        self._write_some()
        if not self._waiting and self._is_watched:
            self._unwatch()
            if self._gone is not None:
                self._cleared(self._longest)

    def _write_some(self) -> None:
        """Write until nothing waits or the terminal takes no more."""
        try:
            while self._waiting:
                del self._waiting[: os.write(self._descriptor, self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting.clear()
            if (gone := self._gone) is not None:
                self._gone = None
                gone()

    def _unwatch(self) -> None:
        if self._is_watched:
            self._is_watched = False
            self._loop.remove_writer(self._descriptor)

    def finish(self, text: str, *, standstill_s: float, total_s: float) -> bool:
        """Write the last sequences instead of all that waits, and wait for it a bounded time.

        Args:
            text: What leaves the terminal as it was.
            standstill_s: How long to wait while the terminal takes nothing.
            total_s: How long to wait in all.

        Returns:
            Whether the terminal has taken all of it.
        """
        if self._is_watched:
            # What is half written ends before the next sequence; a string that is cut off ends with ST.
            rest = self._waiting.find(b"\x1b")
            del self._waiting[rest if rest >= 0 else len(self._waiting) :]
            self._waiting += b"\x1b\\"
        self._unwatch()
        self._waiting += text.encode(self._encoding, "replace")
        end = monotonic() + total_s
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while True:
            self._write_some()
            if not self._waiting:
                return self._gone is not None
            left = min(end - monotonic(), standstill_s)
            if left <= 0 or not poll.poll(left * 1000):
                return False

    def force(self, text: str) -> None:
        """Write what the terminal takes at once, from any thread, when nothing else is done any more."""
        with contextlib.suppress(OSError):
            os.write(self._descriptor, text.encode(self._encoding, "replace"))

    def close(self) -> None:
        """Close our way to the terminal; what still waits is dropped."""
        self._gone = None
        self._unwatch()
        self._waiting.clear()
        if self.has_own:
            os.close(self._descriptor)
            self._descriptor = self._shared
        else:
            os.set_blocking(self._shared, True)


def _open_own(descriptor: int) -> int:
    """Open the terminal behind a descriptor once more, so that it never keeps us waiting.

    Whether a write waits is a property of the open terminal, which we share with the shell: were it set
    there, a console that is killed would leave it to the shell.

    Returns:
        A descriptor of ours, or the same one where the terminal cannot be opened again.
    """
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        return os.open(os.ttyname(descriptor), flags)
    # After `su` the terminal belongs to somebody else, but everybody may open the one that controls him.
    with contextlib.suppress(OSError):
        os.tcgetpgrp(descriptor)  # fails for any other terminal
        return os.open("/dev/tty", flags)
    return descriptor
