"""Opening a journal to read it, with no right to write: on a read-only mount, or as another user.

SQLite needs a file of its own beside a journal with a write-ahead log. Where it may not make one, there are
two more ways: a journal that nobody has open has no log, and may be read as a file that does not change; one
whose log was left behind is read from a copy.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from isla_console.journal.local import ReadJournal, explain
from isla_console.journal.place import JournalError, beside, check
from isla_console.journal.schema import is_damage, version_of

_BUSY_S = 4.0


@contextlib.contextmanager
def reading(path: Path) -> Iterator[ReadJournal]:
    """Open a journal to read; nothing in its directory is changed by us.

    Raises:
        JournalError: It cannot be read, is no journal, or is a newer console's.
    """
    with contextlib.ExitStack() as stack:
        try:
            check(path)
            journal = _first_that_opens(path, stack)
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror or error}") from None
        stack.callback(journal.close)
        yield journal


def _first_that_opens(path: Path, stack: contextlib.ExitStack) -> ReadJournal:
    try:
        return _open(path, path, "mode=rw")
    except sqlite3.Error as error:
        if "unable to open" not in str(error) and "readonly" not in str(error):
            raise explain(path, error) from None
    try:
        if not _has_log(path):
            return _open(path, path, "mode=ro&immutable=1")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="isla-console-")))
        copy = folder / path.name
        shutil.copyfile(path, copy)
        shutil.copyfile(beside(path, "-wal"), beside(copy, "-wal"))
        return _open(path, copy, "mode=rw")
    except sqlite3.Error as error:
        raise JournalError(f"{path}: cannot be read ({error})") from None


def _open(path: Path, file: Path, how: str) -> ReadJournal:
    try:
        return _connect(path, file, how)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return _connect(path, file, how, is_damaged=True)


def _connect(path: Path, file: Path, how: str, *, is_damaged: bool = False) -> ReadJournal:
    connection = sqlite3.connect(
        f"{file.resolve().as_uri()}?{how}",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA query_only = ON")
        if is_damaged:
            # So SQLite reads a file that was cut as far as it goes; nothing can be written all the same.
            connection.execute("PRAGMA writable_schema = ON")
        version_of(path, connection)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return ReadJournal(path, connection)
    except BaseException:
        connection.close()
        raise


def _has_log(path: Path) -> bool:
    log = beside(path, "-wal")
    return log.exists() and log.stat().st_size > 0
