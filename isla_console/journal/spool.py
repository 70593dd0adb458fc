"""Events that a console could not save yet: kept beside the journal, and taken in later if it has to end.

They lie in the state directory; where that takes no file, as on a full disk, in the directory for temporary
files. The next console that opens the journal takes them in. That may happen twice, after a crash in between,
and is the same as once: an event that is known is not written again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

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
    name = f"{stamp_text(datetime.now(UTC))}-{os.getpid()}-{len(events)}-{secrets.token_hex(3)}{_ENDING}"
    problems = []
    for directory, prefix in _places(journal):
        path = directory / f"{prefix}{name}"
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            problems.append(f"{directory}: {error.strerror}")
            continue
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            return path
        except OSError as error:
            problems.append(f"{directory}: {error.strerror}")
            path.unlink(missing_ok=True)
    raise JournalError("; ".join(problems))


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
        events, refused = _read(path)
        added = journal.append(events)
        new += added
        if added:
            said.append(f"{_entries(added)} that could not be saved before {_were(added)} taken in")
        # Another console may have been quicker.
        with contextlib.suppress(FileNotFoundError):
            if refused:
                kept = path.with_name(path.name.removesuffix(_ENDING) + _REFUSED)
                path.rename(kept)
                said.append(f"{_entries(refused)} could not be taken in and {_were(refused)} kept in {kept}")
            else:
                path.unlink()
    return Taken(new, tuple(said))


def _read(path: Path) -> tuple[list[Event], int]:
    events: list[Event] = []
    refused = 0
    with contextlib.suppress(OSError), path.open("rb") as file:
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
    which = hashlib.sha256(str(journal.resolve()).encode()).hexdigest()[:12]
    yield Path(tempfile.gettempdir()), f"isla-console-{os.getuid()}-{which}-unsaved-"


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
