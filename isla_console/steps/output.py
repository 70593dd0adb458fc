"""A step's output, kept within bounds: its first and its newest lines.

Bytes come in as fast as a process writes them; only what is kept is made into text. A capture of any length
takes at most `HEAD` + `TAIL` bytes of memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from isla_console.runbook.patterns import found_in
from isla_console.text.redact import LONGEST_LOOK, Redactor

HEAD = 64 * 1024
"""Bytes kept from the beginning."""
TAIL = 192 * 1024
"""Bytes kept from the end."""
LINE = 4096
"""How many characters of one line are shown and matched."""
_SNIFF = 4096
_LIVE = 32 * 1024
_OVERLAP = 512
"""How many bytes are searched again, so that a pattern across two chunks is found."""


@dataclass(frozen=True, slots=True)
class Output:
    """Decoded text: its beginning and, where `dropped` bytes are missing in between, its end."""

    head: str
    tail: str
    size: int
    dropped: int
    binary: bool = False

    @property
    def truncated(self) -> bool:
        """Whether some of the output is not in the text."""
        return self.dropped > 0 or self.binary

    def text(self, redactor: Redactor) -> str:
        """Return the text, redacted; no half of a secret is left at the gap in the middle."""
        if not self.dropped:
            return redactor.text(self.head)
        return "".join(
            (
                redactor.window(self.head, 0, max(0, len(self.head) - LONGEST_LOOK)),
                f"\n… about {self.dropped:,} bytes are not kept …\n",
                redactor.window(self.tail, min(LONGEST_LOOK, len(self.tail)), len(self.tail)),
            )
        )


class Capture:
    """Takes in bytes, keeps some of them, and notes which patterns were seen anywhere in all of them."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._patterns = tuple(dict.fromkeys(patterns))
        self._behind = b""
        self.size = 0
        self.lines = 0
        self.seen: set[str] = set()

    def feed(self, data: bytes) -> None:
        """Take in the next bytes."""
        self.size += len(data)
        self.lines += data.count(b"\n")
        if len(self._patterns) > len(self.seen):
            self._match(data)
        if (room := HEAD - len(self._head)) > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail += data[-TAIL:]
            if len(self._tail) > 2 * TAIL:
                del self._tail[:-TAIL]

    def take(self) -> Output:
        """Return what has been kept so far."""
        head, tail = bytes(self._head), bytes(self._tail[-TAIL:])
        dropped = self.size - len(head) - len(tail)
        if wide := _wide(head[:_SNIFF]):
            return self._take_wide(head, tail, dropped, wide)
        if b"\0" in head[:_SNIFF]:
            note = f"binary output, {self.size:,} bytes; it begins: {decoded(head[:256])}"
            return Output(note, "", self.size, 0, True)
        if not dropped:
            return Output(decoded(head + tail), "", self.size, 0)
        return Output(decoded(head), decoded(tail), self.size, dropped)

    def _take_wide(self, head: bytes, tail: bytes, dropped: int, encoding: str) -> Output:
        """Return what has been kept, decoded as UTF-16."""
        if not dropped:
            return Output(
                (head + tail).decode(encoding, "backslashreplace").lstrip("\ufeff"), "", self.size, 0
            )
        odd = (self.size - len(tail)) % 2
        return Output(
            head.decode(encoding, "backslashreplace").lstrip("\ufeff"),
            tail[odd:].decode(encoding, "backslashreplace"),
            self.size,
            dropped,
        )

    def last_lines(self, count: int, redactor: Redactor) -> list[str]:
        """Return the newest whole lines for a live view, redacted, each cut to `LINE` characters."""
        if wide := _wide(bytes(self._head[:_SNIFF])):
            finished, _, _ = self.take().text(redactor).rpartition("\n")
            return [line[:LINE] for line in finished.splitlines()[-count:]] or [
                f"{wide}, {self.size:,} bytes so far"
            ]
        if b"\0" in self._head[:_SNIFF]:
            return [f"binary output, {self.size:,} bytes so far"]
        end = bytes(self._tail[-_LIVE:]) if self._tail else bytes(self._head[-_LIVE:])
        whole, newline, _ = end.rpartition(b"\n")
        if not newline:
            return [f"{self.size:,} bytes so far, and no line yet"] if self.size else []
        text = decoded(whole)
        start = min(LONGEST_LOOK, len(text)) if self.size > len(end) else 0
        lines = redactor.window(text, start, len(text)).splitlines()
        return [line[:LINE] for line in (lines[1:] if start and len(lines) > 1 else lines)[-count:]]

    def _match(self, data: bytes) -> None:
        text = self._behind + data
        for pattern in self._patterns:
            if pattern not in self.seen and found_in(pattern, text):
                self.seen.add(pattern)
        self._behind = text[-_OVERLAP:]


def decoded(data: bytes) -> str:
    r"""Decode UTF-8; any byte that is not stays visible as \xNN."""
    return data.decode("utf-8", "backslashreplace")


def _wide(head: bytes) -> str:
    """Return which UTF-16 it is, by its mark or by every other byte being zero; "" for anything else."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16-le" if head[0] == 0xFF else "utf-16-be"
    start = head[:256]
    half = len(start) // 2
    for name, zeros, others in (
        ("utf-16-le", start[1::2], start[::2]),
        ("utf-16-be", start[::2], start[1::2]),
    ):
        if half >= 4 and zeros.count(0) >= 0.8 * half and others.count(0) == 0:
            return name
    return ""
