"""Writing all of a statement's rows into a file without holding them in memory.

Values are PostgreSQL's own text. In JSON only numbers and truths are more than text, where both write them
alike.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Literal, TextIO

from isla_console.database.values import NUMBERS
from isla_console.sql.result import Column
from isla_console.sql.rows import Rows
from isla_console.sql.values import unique_names
from isla_console.text.times import stamp_text

Format = Literal["csv", "json"]
NULL = "\\N"
"""NULL in CSV, as COPY writes it, because an empty field is an empty text."""
_TRUTHS = {"t": "true", "f": "false"}
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


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
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._file: TextIO = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        self._begun = False

    def take(self, columns: tuple[Column, ...], rows: Rows) -> None:
        """Write a batch of rows. In JSON the second column of a name gets `_2` added to it."""
        if self._kind == "csv":
            self._take_csv(columns, rows)
        else:
            names = [
                json.dumps(name, ensure_ascii=False) for name in unique_names(one.name for one in columns)
            ]
            types = [column.type for column in columns]
            for row in rows:
                pairs = ", ".join(map("{}: {}".format, names, map(_in_json, row, types)))
                self._file.write("[\n{" if self.rows == 0 else ",\n{")
                self._file.write(f"{pairs}}}")
                self.rows += 1
        self._begun = True

    def _take_csv(self, columns: tuple[Column, ...], rows: Rows) -> None:
        writer = csv.writer(self._file)
        if not self._begun:
            writer.writerow([column.name for column in columns])
        for row in rows:
            if NULL in row:
                # Quoted, it is a text of these two characters, as COPY has it, and no NULL.
                cells = (NULL if one is None else '"' + one.replace('"', '""') + '"' for one in row)
                self._file.write(",".join(cells) + "\r\n")
            else:
                writer.writerow([NULL if value is None else value for value in row])
        self.rows += len(rows)

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


def _in_json(value: str | None, type_name: str) -> str:
    """Return a value as JSON: a number stays the digits that it is, whatever their length."""
    if value is None:
        return "null"
    if type_name in NUMBERS and _JSON_NUMBER.fullmatch(value):
        return value
    if type_name == "bool":
        return _TRUTHS[value]
    return json.dumps(value, ensure_ascii=False)


def export_path(folder: Path, kind: Format, now: datetime) -> Path:
    """Return the path of a new export, such as `<folder>/query-20261123T141241Z.csv`."""
    return folder / f"query-{stamp_text(now)}.{kind}"
