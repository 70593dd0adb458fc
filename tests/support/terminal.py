"""A real terminal for journeys: a program in its own pty, its screen kept by a terminal emulator."""

import contextlib
import fcntl
import io
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte

from isla_console.ui.terminal.decoder import ESCAPE_S
from tests.support.waiting import PATIENCE_S

TIOCGPTN = 0x80045430
"""Linux's question for the number of a terminal; Python has os.ptsname from 3.13 on."""
KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "space": " ",
    "backspace": "\x7f",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "ctrl+p": "\x10",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
}


class Terminal:
    """Runs a program in a pty of `columns` x `rows`; use as a context manager."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        columns: int = 140,
        rows: int = 40,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.received = bytearray()
        self._command = list(command)
        self._environ = dict(environ)
        self._size = (rows, columns)
        self.code: int | None = None
        """The exit code once the program ended; negative for a signal."""

    def __enter__(self) -> "Terminal":
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(self._command[0], self._command, self._environ)
            except OSError as error:
                sys.stderr.write(f"{error}\n")
                os._exit(127)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.code is None:
            self.kill(signal.SIGKILL)
            self.wait(5)
        self.close()

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def picture(self, title: str) -> str:
        """The screen as it is, as SVG."""
        from rich.console import Console
        from rich.style import Style
        from rich.text import Text

        console = Console(
            record=True, width=self.screen.columns, file=io.StringIO(), color_system="truecolor",
            force_terminal=True, legacy_windows=False,
        )  # fmt: skip
        for y in range(self.screen.lines):
            line, row = Text(), self.screen.buffer[y]
            for x in range(self.screen.columns):
                cell = row[x]
                style = Style(
                    color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold, italic=cell.italics,
                    underline=cell.underscore, reverse=cell.reverse,
                )  # fmt: skip
                line.append(cell.data, style)
            console.print(line, no_wrap=True, overflow="crop", end="\n")
        return console.export_svg(title=title)

    def send(self, *keys: str) -> None:
        """Press keys: names of `KEYS`, or text to type. A breath between, as a person's."""
        for key in keys:
            os.write(self.fd, KEYS.get(key, key).encode())
            self.read(0.05)
            if key == "escape":
                self._let_it_be_alone()

    def _let_it_be_alone(self) -> None:
        """Wait until Escape was taken for itself: with b, f, O or [ right behind it, it is something else."""
        number = struct.unpack("i", fcntl.ioctl(self.fd, TIOCGPTN, b"\0" * 4))[0]
        slave = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)
        try:
            end = time.monotonic() + 10
            while struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, b"\0" * 4))[0]:
                self.read(0.02)
                if self.code is not None or time.monotonic() > end:
                    break
        finally:
            os.close(slave)
        self.read(2 * ESCAPE_S)

    def send_bytes(self, data: bytes, *, reading: bool = True) -> None:
        """Send bytes as fast as the program takes them."""
        os.set_blocking(self.fd, False)
        try:
            while data and self.code is None:
                with contextlib.suppress(BlockingIOError):
                    data = data[os.write(self.fd, data) :]
                if reading:
                    self.read_once(0.01)
                else:
                    time.sleep(0.01)
        finally:
            os.set_blocking(self.fd, True)

    def signal_unread(self, number: signal.Signals, seconds: float = PATIENCE_S) -> float:
        """Send a signal and wait for the end without reading anything; the seconds that it took."""
        started = time.monotonic()
        self.kill(number)
        while self.code is None and time.monotonic() - started < seconds:
            time.sleep(0.01)
            self._reap(os.WNOHANG)
        return time.monotonic() - started

    def read(self, seconds: float) -> None:
        """Take in what the program writes for this long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.read_once(left):
            pass

    def read_once(self, seconds: float) -> bool:
        """Take in what the program writes next; false when it wrote nothing for this long, or ended."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            self._reap(os.WNOHANG)
            time.sleep(min(seconds, 0.02))
            return self.code is None
        self.received += data
        self._stream.feed(data)
        return True

    def wait_for(self, wanted: str | Callable[[str], bool], seconds: float = PATIENCE_S) -> str:
        """Read until the screen holds the text (or the function says yes); the screen then.

        A text may be wrapped: long paths move what stands behind them.
        """
        found = wanted if callable(wanted) else (lambda text: wanted in text or wanted in unwrapped(text))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.1)
            if found(self.text):
                return self.text
            if self.code is not None:
                break
        raise AssertionError(f"{wanted!r} did not appear in {seconds} s (exit {self.code}):\n{self.text}")

    def resize(self, columns: int, rows: int) -> None:
        """Another size, as a person dragging the window."""
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the program itself."""
        os.kill(self.pid, number)

    def wait(self, seconds: float = PATIENCE_S) -> int:
        """The exit code, once it ended; what it still writes is taken in."""
        end = time.monotonic() + seconds
        while self.code is None and time.monotonic() < end:
            self.read(0.05)
            self._reap(os.WNOHANG)
        if self.code is None:
            raise AssertionError(f"still running after {seconds} s:\n{self.text}")
        while self.read_once(0.05):
            pass  # what it wrote last may have come after the last look
        return self.code

    def close(self) -> None:
        """Close the terminal: the program gets SIGHUP."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _reap(self, flags: int) -> None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, flags)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)


def unwrapped(text: str) -> str:
    """A screen's words in one line."""
    return " ".join(text.split())


def _colour(name: str) -> str | None:
    """The emulator's name of a colour in the words of the one that draws."""
    if name == "default":
        return None
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name.lower()):
        return f"#{name}"
    name = name.replace("brown", "yellow")
    return f"bright_{name.removeprefix('bright')}" if name.startswith("bright") else name
