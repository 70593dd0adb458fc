"""The history of typed statements, kept across launches: newest last, mode 0600, secrets made unreadable."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final

from isla_console.text.redact import redact_statement

FILE_NAME: Final = "sql-history.jsonl"
LIMIT: Final = 500


class History:
    """A list of statements in a file. A file that cannot be read or written is ignored."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._statements = _read(path)
        self._place = len(self._statements)

    def add(self, sql: str) -> None:
        """Remember a statement; repeating the last one adds nothing."""
        sql = redact_statement(sql.strip())
        if sql and self._statements[-1:] != [sql]:
            self._statements = [*self._statements, sql][-LIMIT:]
            _write(self._path, self._statements)
        self._place = len(self._statements)

    def older(self) -> str | None:
        """Step back: return the statement before the one shown; None at the beginning."""
        if self._place == 0:
            return None
        self._place -= 1
        return self._statements[self._place]

    def newer(self) -> str | None:
        """Step forward: return the statement after the one shown; None at the end."""
        if self._place + 1 >= len(self._statements):
            return None
        self._place += 1
        return self._statements[self._place]


def _read(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines[-LIMIT:]]
    except (OSError, ValueError):
        return []
    return [one for one in found if isinstance(one, str)]


def _write(path: Path, statements: list[str]) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A new file under a name that nobody can know beforehand: no link that was put there is followed.
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError:
        return
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in statements)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
