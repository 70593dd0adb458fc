"""Writing to a terminal that stops reading: nothing waits, nothing is cut in the middle, all is told."""

import asyncio
import contextlib
import errno
import os
import pty
import select
import stat
import time
import tty
from collections.abc import Callable, Iterator

import pytest

from isla_console.ui.terminal.output import LIMIT, Output

FRAME = "\x1b[1;1H\x1b[38;5;188mäöü" + "x" * 900 + "\x1b[m"


class Screen:
    """A pseudo terminal that is read when a test says so."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.cleared: list[float] = []
        self.gone = 0

    def open(self) -> Output:
        return Output(self.slave, "utf-8", cleared=self.cleared.append, gone=self._note_gone)

    def _note_gone(self) -> None:
        self.gone += 1

    def read(self, seconds: float = 0.2) -> bytes:
        """All that comes until it is quiet for so long."""
        found = b""
        while select.select([self.master], [], [], seconds)[0]:
            found += os.read(self.master, 65_536)
        return found

    async def read_all(self, wanted: Callable[[], bool]) -> bytes:
        found = b""
        async with asyncio.timeout(10):
            while not wanted():
                found += self.read(0)
                await asyncio.sleep(0.005)
        return found + self.read()

    def close(self) -> None:
        for descriptor in (self.master, self.slave):
            with contextlib.suppress(OSError):  # a test may have closed it
                os.close(descriptor)


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen()
    yield screen
    screen.close()


def fill(output: Output) -> str:
    """Write until the terminal takes no more; what was written."""
    written = ""
    while not output.is_behind:
        assert output.write(FRAME)
        output.flush()
        written += FRAME
    return written


async def test_all_comes_in_order_once_it_is_read(screen: Screen) -> None:
    output = screen.open()
    written = fill(output)
    for number in range(20):
        assert output.write(f"\x1b]2;{number}\x07")
        written += f"\x1b]2;{number}\x07"
    assert output.is_behind
    found = await screen.read_all(lambda: not output.is_behind)
    assert found.decode() == written
    assert len(screen.cleared) == 1


async def test_it_tells_how_long_the_terminal_stood_still(screen: Screen) -> None:
    output = screen.open()
    fill(output)
    await asyncio.sleep(0.4)
    await screen.read_all(lambda: not output.is_behind)
    [still] = screen.cleared
    assert 0.35 < still < 5


async def test_what_is_too_much_is_refused_whole(screen: Screen) -> None:
    """What waits is bounded, and of what is refused not a byte is written."""
    output = screen.open()
    written = fill(output)
    accepted = 0
    while output.write(FRAME):
        accepted += 1
        assert accepted < LIMIT
    assert not output.write("y" * LIMIT)
    found = await screen.read_all(lambda: not output.is_behind)
    assert found.decode() == written + FRAME * accepted


async def test_a_write_never_waits(screen: Screen) -> None:
    output = screen.open()
    started = time.monotonic()
    fill(output)
    for _ in range(5000):
        output.write(FRAME)
        output.flush()
    output.finish("\x1b[?1049l" * 9999, standstill_s=0.2, total_s=0.4)
    assert time.monotonic() - started < 3


async def test_the_end_cuts_between_two_sequences(screen: Screen) -> None:
    """What waits is dropped, what leaves the terminal comes, and half a sequence or character never."""
    output = screen.open()
    written = fill(output).encode()
    reader = asyncio.create_task(asyncio.to_thread(screen.read, 1.0))
    await asyncio.sleep(0)
    assert output.finish("\x1b[?1049l", standstill_s=3, total_s=6)
    output.close()
    found = await reader
    body, _, rest = found.rpartition(b"\x1b\\")
    assert rest == b"\x1b[?1049l"
    assert written.startswith(body)
    body.decode()
    assert written[len(body) :][:1] in {b"", b"\x1b"}


async def test_the_shell_keeps_a_terminal_that_waits(screen: Screen) -> None:
    """Not to wait is a property of the open terminal, and theirs is left as it is."""
    output = screen.open()
    assert output.has_own
    assert os.get_blocking(screen.slave)
    output.close()
    os.fstat(screen.slave)


async def test_a_terminal_that_cannot_be_opened_again(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by name, and it is not the one that controls us: it is shared, and given back as it was."""

    def forbidden(path: str, flags: int) -> int:
        raise PermissionError(errno.EACCES, path)

    monkeypatch.setattr("isla_console.ui.terminal.output.os.open", forbidden)
    output = screen.open()
    assert not output.has_own
    written = fill(output)
    assert (await screen.read_all(lambda: not output.is_behind)).decode() == written
    output.close()
    assert os.get_blocking(screen.slave)
    assert stat.S_ISCHR(os.fstat(screen.slave).st_mode)


async def test_a_terminal_that_is_gone_is_told_once(screen: Screen) -> None:
    output = screen.open()
    fill(output)
    os.close(screen.master)
    async with asyncio.timeout(5):
        while not screen.gone:
            output.write("x")
            output.flush()
            await asyncio.sleep(0.01)
    assert not output.write("x")
    assert not output.finish("x", standstill_s=1, total_s=1)
    output.close()
    assert screen.gone == 1
