"""Writing all of a statement's rows into a file without holding them in memory."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Literal, TextIO

from isla_console.sql.engine import Rows
from isla_console.sql.result import Column
from isla_console.sql.values import jsonable, raw_text
from isla_console.text.times import stamp_text

Format = Literal["csv", "json"]
NULL = "\\N"
"""NULL in CSV, as COPY writes it, because an empty field is an empty text."""


class ExportFile:
    """A file being written, mode 0600; `take` receives the rows from `SqlEngine.stream`."""

    def __init__(self, path: Path, kind: Format) -> None:
        """Create the file.

        Raises:
            OSError: It cannot be created.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.rows = 0
        self._kind = kind
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: TextIO = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        self._begun = False

    def take(self, columns: tuple[Column, ...], rows: Rows) -> None:
        """Write a batch of rows."""
        if self._kind == "csv":
            writer = csv.writer(self._file)
            if not self._begun:
                writer.writerow([column.name for column in columns])
            writer.writerows([NULL if value is None else raw_text(value) for value in row] for row in rows)
        else:
            names = [column.name for column in columns]
            for row in rows:
                record = dict(zip(names, map(jsonable, row), strict=True))
                self._file.write("[\n" if self.rows == 0 else ",\n")
                self._file.write(json.dumps(record, ensure_ascii=False))
                self.rows += 1
        self._begun = True
        self.rows += len(rows) if self._kind == "csv" else 0

    def finish(self) -> None:
        """Complete the file and close it."""
        if self._kind == "json":
            self._file.write("\n]\n" if self.rows else "[]\n")
        self._file.close()

    def abandon(self) -> None:
        """Close and remove the file: half an export is worse than none."""
        with contextlib.suppress(OSError):  # on a full disk its buffer cannot be written
            self._file.close()
        self.path.unlink(missing_ok=True)


def export_path(folder: Path, kind: Format, now: datetime) -> Path:
    """Return the path of a new export, such as `<folder>/query-20261123T141241Z.csv`."""
    return folder / f"query-{stamp_text(now)}.{kind}"
