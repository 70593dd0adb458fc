"""Reading a runbook's bytes, and refusing what cannot be a runbook."""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from pathlib import Path

from isla_console.runbook.findings import Finding, RunbookError
from isla_console.text.plain import plain

MAX_BYTES = 2 * 1024 * 1024

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> tuple[str, str]:
    """Return the file's text, and the SHA-256 of its bytes in hex.

    Raises:
        RunbookError: The file is missing, not regular, unreadable, over 2 MB, binary, or not UTF-8.
    """
    name = plain(str(path))

    def refuse(problem: str, expected: str = "", line: int = 0, column: int = 0) -> RunbookError:
        return RunbookError([Finding(name, line, column, "", problem, expected)])

    try:
        # Non-blocking, so that a named pipe without a writer is refused instead of waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise refuse("there is no such file") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise refuse(f"cannot be opened: {plain(reason)}", "a readable file") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise refuse("is a directory", "a file, such as runbook.yaml in it")
        if not stat.S_ISREG(mode):
            raise refuse("is no regular file", "a file")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise refuse(f"cannot be read: {plain(error.strerror or str(error)).lower()}") from None
    finally:
        os.close(descriptor)

    if len(data) > MAX_BYTES:
        raise refuse("is larger than 2 MB", "a runbook of some 100 kB")
    if data.startswith(_UTF16):
        raise refuse("is UTF-16", "UTF-8")
    if (at := data.find(0)) >= 0:
        raise refuse(f"is binary: byte {at} is NUL", "UTF-8 text", *_place(data, at))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
        raise refuse(
            f"is not UTF-8: byte {at} is 0x{data[at]:02x}", "UTF-8 text", *_place(data, at)
        ) from None
    return text, hashlib.sha256(data).hexdigest()


def _place(data: bytes, at: int) -> tuple[int, int]:
    """Return line and column of a byte, counted from 1, the column in characters."""
    before = data[:at]
    start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[start:].decode("utf-8", "replace")) + 1
