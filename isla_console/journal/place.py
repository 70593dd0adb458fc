"""The journal's file on the disk: how it is made, which file it is, and what may lie beside it.

SQLite finds the write-ahead log by the journal's name. A journal that was moved away leaves its log behind,
and a new file of that name would be read together with a log that is not its own: so the log is moved away
too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from isla_console.text.times import stamp_text

FILE_NAME = "journal.sqlite3"
"""The journal's name in the state directory."""
MAGIC = b"SQLite format 3\x00"
_LOCK_S = 5.0
_LOOK_AGAIN_S = 0.02

Identity = tuple[int, int]
"""A file's device and inode: which file it is, whatever its name."""


class JournalError(Exception):
    """The journal cannot be used, or did not take the events; the message says what to do.

    Nothing that was there is overwritten.
    """


class DamagedJournal(JournalError):
    """Part of the journal's file cannot be read: what can be is, and nothing is written to it."""


class MovedJournal(JournalError):
    """The file is gone, or another one has its name."""


def identity(path: Path) -> Identity | None:
    """Return which file has this name now; None when none has, or it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def beside(path: Path, ending: str) -> Path:
    """Return the name of a file that SQLite keeps beside the journal: `-wal` or `-shm`."""
    return path.with_name(path.name + ending)


def exists(path: Path) -> bool:
    """Return whether there is a journal yet.

    Raises:
        JournalError: That cannot be told: its directory cannot be read, or is none.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise JournalError(
            f"{path}: {_reason(error)}; set ISLA_STATE_DIR to a place that can be read"
        ) from None
    return True


def prepare(path: Path) -> None:
    """Make directory and file with their modes, and refuse what is not a journal, before SQLite opens it.

    Raises:
        JournalError: It cannot be made, or is something else; it is left as it is.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            _accept(path)
            return
        with locked(path.parent):
            set_aside_log(path)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise JournalError(f"{path}: {_reason(error)}; set ISLA_STATE_DIR to a writable place") from None


def check(path: Path) -> None:
    """Refuse what is not a journal.

    Raises:
        JournalError: It is something else.
        OSError: It cannot be looked at.
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise JournalError(f"{path}: is a directory, not a journal")
    if not stat.S_ISREG(found.st_mode):
        raise JournalError(f"{path}: is not a file")
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
    if head and head != MAGIC:
        raise JournalError(f"{path}: is not a journal; move it away, or set ISLA_STATE_DIR")


def _accept(path: Path) -> None:
    found = path.stat()
    if stat.S_ISREG(found.st_mode):
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            with contextlib.suppress(OSError):
                path.chmod(0o600)
        if not os.access(path, os.W_OK):
            raise JournalError(f"{path}: cannot be written; set ISLA_STATE_DIR to a place that can")
    check(path)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Let nobody else make or replace a journal in this directory; where that cannot be locked, go on."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        give_up = time.monotonic() + _LOCK_S
        while time.monotonic() < give_up:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_LOOK_AGAIN_S)
            except OSError:
                break
        yield
    finally:
        os.close(handle)


def set_aside_log(path: Path, of: Identity | None = None) -> None:
    """Move away the log of a journal that is no longer here, so that it is not read into another one.

    Without `of`, that is when there is no journal; with it, when the log is the file `of`. Call it under
    `locked`.
    """
    log = beside(path, "-wal")
    found = identity(log)
    if found is None or (of is None and identity(path) is not None) or (of is not None and found != of):
        return
    if log.stat().st_size:
        log.rename(path.with_name(f"{path.name}.{stamp_text(datetime.now(UTC))}-{os.getpid()}.left-wal"))
    else:
        log.unlink()
    beside(path, "-shm").unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
