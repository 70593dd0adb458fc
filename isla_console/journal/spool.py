"""Events that a console could not save yet: kept beside the journal, and taken in later if it has to end.

They lie in the state directory; where that takes no file, as on a full disk, in the directory for temporary
files. The next console that opens the journal takes them in. That may happen twice, after a crash in between,
and is the same as once: an event that is known is not written again.

Who writes such a file or takes it in holds its lock, which the system drops with the process: one that is
half written is left alone as long as its writer lives, and no longer.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from isla_console.incident.record.events import Event
from isla_console.journal.interchange import export_lines, read_lines
from isla_console.journal.local import LocalJournal
from isla_console.journal.place import JournalError
from isla_console.text.times import stamp_text

_ENDING = ".unsaved.jsonl"
_REFUSED = ".refused.jsonl"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in: how many events were new, and what is to be said about it."""

    new: int
    said: tuple[str, ...]


def spool(journal: Path, events: Sequence[Event]) -> Path:
    """Write events to a file of their own that only its owner can read, and return where it is.

    Raises:
        JournalError: No directory takes them.
    """
    text = "".join(export_lines(events)).encode()
    problems = []
    for directory, prefix in _places(journal):
        written = None
        try:
            while written is None:
                # Another console may take the file away before it is locked, when there is nothing in it.
                name = f"{prefix}{stamp_text(datetime.now(UTC))}-{os.getpid()}-{len(events)}"
                written = _write(directory / f"{name}-{secrets.token_hex(3)}{_ENDING}", text)
        except OSError as error:
            problems.append(f"{directory}: {error.strerror}")
        else:
            return written
    raise JournalError("; ".join(problems))


def _write(path: Path, text: bytes) -> Path | None:
    """Write a new file and return its path, or None if it was taken away meanwhile.

    Raises:
        OSError: It cannot be written; nothing is left of it.
    """
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            _lock(file, wait=True)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            return path if os.fstat(file.fileno()).st_nlink else None
    except OSError:
        path.unlink(missing_ok=True)
        raise


def waiting(journal: Path) -> list[Path]:
    """Return the files that wait to be taken into this journal, the oldest first."""
    return sorted(_found(journal), key=lambda path: path.name.rpartition("-unsaved-")[2])


def take_in(journal: LocalJournal) -> Taken:
    """Write into the journal what waits for it, and remove each file once its events are on disk.

    A line that is no event stays in a file of another name, which is said.

    Raises:
        JournalError: The journal does not take them. The files stay.
    """
    new = 0
    said: list[str] = []
    for path in waiting(journal.path):
        try:
            with path.open("rb") as file:
                if not _lock(file):
                    continue  # it is being written, or taken in
                events, refused = _read(file)
                added = journal.append(events)
                new += added
                if added:
                    said.append(f"{_entries(added)} that could not be saved before {_were(added)} taken in")
                if refused:
                    kept = path.with_name(path.name.removesuffix(_ENDING) + _REFUSED)
                    path.rename(kept)
                    said.append(
                        f"{_entries(refused)} could not be taken in and {_were(refused)} kept in {kept}"
                    )
                else:
                    path.unlink()
        except FileNotFoundError:
            continue  # another console was quicker
        except OSError as error:
            said.append(f"entries that could not be saved before stay in {path}: {error.strerror}")
    return Taken(new, tuple(said))


def _lock(file: BinaryIO, *, wait: bool = False) -> bool:
    """Lock a file until it is closed; return False if somebody else has locked it.

    Where the file system has no locks, nobody is kept out.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}:
            raise
    return True


def _read(file: BinaryIO) -> tuple[list[Event], int]:
    events: list[Event] = []
    refused = 0
    # Our own events, whatever the clock says now.
    for _, found in read_lines(file, None):
        if isinstance(found, Event):
            events.append(found)
        else:
            refused += 1
    return events, refused


def _places(journal: Path) -> Iterator[tuple[Path, str]]:
    """Yield where they may lie, and how their names begin there: others use the second place too."""
    yield journal.parent, f"{journal.stem}-unsaved-"
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError:
        return  # there is no directory for temporary files, or none can be written
    which = hashlib.sha256(str(journal.resolve()).encode()).hexdigest()[:12]
    yield temporary, f"isla-console-{os.getuid()}-{which}-unsaved-"


def _found(journal: Path) -> Iterator[Path]:
    for directory, prefix in _places(journal):
        with contextlib.suppress(OSError):
            for path in directory.glob(f"{prefix}*{_ENDING}"):
                found = path.lstat()
                # Anybody may put a file, or a link, into a directory for temporary files.
                if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
                    yield path


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
