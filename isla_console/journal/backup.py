"""Copies of the journal: before its format changes, when an incident ends, and when a person asks.

A copy is one file, whole or not there, that only its owner can read. A few are kept.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from isla_console.journal.place import JournalError, locked
from isla_console.text.times import stamp_text

DIRECTORY = "backups"
"""Where they are, in the state directory."""
KEPT = 7
"""How many of a sort are kept, the newest."""
_BUSY_S = 4.0


def back_up(path: Path, *, why: str, now: datetime | None = None) -> Path:
    """Copy the journal at `path` and return where the copy is. Others may write to it meanwhile.

    Args:
        path: The journal.
        why: A word for the copy's name; of each word, the newest few are kept.
        now: For the copy's name; by default the wall clock.

    Raises:
        JournalError: There is no copy, and why.
    """
    directory = path.parent / DIRECTORY
    copy = directory / f"{path.stem}-{stamp_text(now or datetime.now(UTC))}-{why}.sqlite3"
    part = copy.with_name(f".{copy.name}.{os.getpid()}")
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
            _copy(path, part)
            _sync(part)
            part.replace(copy)
            _sync(directory)
        finally:
            part.unlink(missing_ok=True)
        _prune(directory, f"{path.stem}-*-{why}.sqlite3")
    except (OSError, sqlite3.Error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise JournalError(f"{directory}: no backup could be made ({reason})") from None
    return copy


def backups(path: Path) -> list[Path]:
    """Return the copies of a journal, the newest first."""
    with contextlib.suppress(OSError):
        found = (path.parent / DIRECTORY).glob(f"{path.stem}-*.sqlite3")
        return sorted(found, key=lambda copy: copy.name, reverse=True)
    return []


def _copy(path: Path, part: Path) -> None:
    uri = f"{path.resolve().as_uri()}?mode=rw"
    with (
        contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as source,
        contextlib.closing(sqlite3.connect(part)) as target,
    ):
        source.backup(target)
        # One file, without a log beside it.
        target.execute("PRAGMA journal_mode = DELETE")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _prune(directory: Path, pattern: str) -> None:
    with locked(directory):
        for old in sorted(directory.glob(pattern), reverse=True)[KEPT:]:
            old.unlink(missing_ok=True)
