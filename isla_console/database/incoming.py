"""What a server sends, bounded as it arrives: a cell or a row that is too long is cut before it is held.

The driver keeps a whole message in memory before it looks at it, and one row may be a gigabyte. So this
stands between the socket and the driver, follows PostgreSQL's messages without keeping them, and shortens the
rows that are longer than the limits. It only works on values in text form, which is how all are asked for.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from typing import Final

_HEAD: Final = struct.Struct("!BI")
_COUNT: Final = struct.Struct("!H")
_LENGTH: Final = struct.Struct("!i")
_ROW: Final = ord("D")

CELL: Final = 1024 * 1024
"""Bytes that are kept of one cell, unless a statement sets another limit."""
ROW: Final = 4 * 1024 * 1024
"""Bytes that are kept of one row."""
ANSWER: Final = 16 * 1024 * 1024
"""Bytes of rows that are kept of one answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept, in bytes. `answer` is for one statement; None leaves that to whoever fetches."""

    cell: int = CELL
    row: int = ROW
    answer: int | None = ANSWER


@dataclass(frozen=True, slots=True)
class CutCell:
    """A cell that was cut: its row and column within the statement, from 0, and its whole length in bytes."""

    row: int
    column: int
    whole: int


class Incoming(asyncio.Protocol):
    """Passes everything on to `driver`, rows within the limits."""

    def __init__(self, driver: asyncio.Protocol) -> None:
        self._driver = driver
        self._limits = Limits()
        self._held = b""
        self._rest = 0
        self._discard = 0
        self._row: _RowCutter | None = None
        self._is_lost = False
        self.begin()

    def begin(self, limits: Limits | None = None) -> None:
        """Count from zero, for a new statement; without `limits`, those of the console's own questions."""
        self._limits = limits or Limits()
        self.rows = 0
        self.received = 0
        """Bytes of rows as the server sent them."""
        self.dropped = 0
        """Rows that were dropped whole because the answer was too long."""
        self.cut_bytes = 0
        """Bytes that were cut off."""
        self._kept = 0
        self._cuts: list[CutCell] = []

    def take_cuts(self) -> list[CutCell]:
        """Return the cells that were cut since this was last asked."""
        cuts, self._cuts = self._cuts, []
        return cuts

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on."""
        self._driver.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass on."""
        self._driver.pause_writing()

    def resume_writing(self) -> None:
        """Pass on."""
        self._driver.resume_writing()

    def eof_received(self) -> bool | None:
        """Pass on."""
        return self._driver.eof_received()

    def data_received(self, data: bytes) -> None:
        """Pass on what came, whole messages and parts of them, with long rows shortened."""
        if self._is_lost:
            self._driver.data_received(data)
            return
        if self._held:
            data, self._held = self._held + data, b""
        position, end = 0, len(data)
        while position < end:
            if self._discard:
                step = min(self._discard, end - position)
                self._discard -= step
                position += step
            elif self._row is not None:
                position = self._shorten(self._row, data, position)
            else:
                position = self._pass_on(data, position, end)

    def _pass_on(self, data: bytes, start: int, end: int) -> int:
        """Pass on messages as they are, up to a row that is to be cut or dropped; return where that begins.

        An incomplete head is held until more comes.
        """
        position = start
        if self._rest:
            step = min(self._rest, end - position)
            self._rest -= step
            position += step
        unpack, longest = _HEAD.unpack_from, self._limits.cell
        room = end + 1 if self._limits.answer is None else self._limits.answer - self._kept
        begun, rows = position, 0
        while position + 5 <= end:
            kind, length = unpack(data, position)
            if kind == _ROW:
                rows += 1
                if length > longest or position - begun > room:
                    self._count(rows - 1, position - begun)
                    self._driver.data_received(data[start:position])
                    self._begin_row(length - 4)
                    return position + 5
            elif length < 4:
                self._is_lost = True  # no messages of PostgreSQL: whoever reads them says so
                break
            position += length + 1
        self._count(rows, position - begun)
        if position > end and not self._is_lost:
            self._rest, position = position - end, end
        elif not self._is_lost:
            self._held = data[position:end]
        self._driver.data_received(data[start : end if self._is_lost else position])
        return end

    def _count(self, rows: int, size: int) -> None:
        self.rows += rows
        if rows:
            self.received += size
            self._kept += size

    def _begin_row(self, length: int) -> None:
        number, self.rows = self.rows, self.rows + 1
        self.received += length
        answer = self._limits.answer
        if answer is not None and self._kept >= answer:
            self.dropped += 1
            self._discard = length
        else:
            self._row = _RowCutter(number, length, self._limits)

    def _shorten(self, row: _RowCutter, data: bytes, position: int) -> int:
        position = row.feed(data, position)
        if row.is_whole:
            self._row = None
            self._cuts += row.cuts
            message = row.message()
            self.cut_bytes += row.length - len(message) + 5
            self._kept += len(message)
            self._driver.data_received(message)
        return position


class _RowCutter:
    """Reads one row, in parts of any size, and keeps at most the limits of it."""

    def __init__(self, number: int, length: int, limits: Limits) -> None:
        self.length = length
        self.cuts: list[CutCell] = []
        self._number = number
        self._limits = limits
        self._room = limits.row
        self._columns = -1
        self._column = 0
        self._length: int | None = None
        self._want = 2
        self._have = bytearray()
        self._drop = 0
        self._parts: list[bytes] = []

    @property
    def is_whole(self) -> bool:
        """Whether the row was read to its end."""
        return self._column == self._columns and not self._drop

    def feed(self, data: bytes, position: int) -> int:
        """Read from `position` on; return where the row, or the data, ends."""
        end = len(data)
        while not self.is_whole:
            if self._drop:
                step = min(self._drop, end - position)
                self._drop -= step
                position += step
                if self._drop:
                    break
                continue
            step = min(self._want - len(self._have), end - position)
            self._have += data[position : position + step]
            position += step
            if len(self._have) < self._want:
                break
            self._take(bytes(self._have))
            self._have.clear()
        return position

    def message(self) -> bytes:
        """Return the row as the server would have sent it."""
        body = b"".join([_COUNT.pack(self._columns), *self._parts])
        return _HEAD.pack(_ROW, len(body) + 4) + body

    def _take(self, part: bytes) -> None:
        if self._columns < 0:
            self._columns = _COUNT.unpack(part)[0]
            self._want = 4
        elif self._length is None:
            length = _LENGTH.unpack(part)[0]
            if length < 0:
                self._parts.append(part)
                self._column += 1
            else:
                self._length = length
                self._want = min(length, self._limits.cell, self._room)
        else:
            whole, self._length, self._want = self._length, None, 4
            self._drop = whole - len(part)
            if self._drop:
                part = _whole_characters(part)
                self.cuts.append(CutCell(self._number, self._column, whole))
            self._room -= min(self._room, len(part))
            self._parts += (_LENGTH.pack(len(part)), part)
            self._column += 1


def _whole_characters(part: bytes) -> bytes:
    """Return UTF-8 without the character that was cut at its end."""
    for back in range(1, min(4, len(part)) + 1):
        byte = part[-back]
        if byte & 0xC0 != 0x80:
            length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return part[:-back] if length > back else part
    return part
