r"""A backup's file: its format, what in it must not be run, and how many rows it has of each table.

An archive in pg_dump's custom format goes to pg_restore, SQL text to psql. psql obeys commands of its own in
such a text (`\!` runs a program here, `\connect` goes to another database): the restore step forbids them
by psql's `\restrict`. What is found here is said before anything is begun, with its line.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from isla_console.steps import shell

Form = Literal["archive", "sql"]
Table = tuple[str, str]
"""Schema and name."""

_CHUNK: Final = 1024 * 1024
_LINE: Final = 4096
"""How many bytes of a line outside a table's data are examined."""
_NAME: Final = rb'(?:"(?:[^"]|"")+"|[^\s".(]+)'
_COPY: Final = re.compile(
    rb"COPY (?:(" + _NAME + rb")\.)?(" + _NAME + rb") (?:\(.*\) )?FROM stdin;(\r?)$", re.DOTALL
)
_RESTRICT: Final = re.compile(rb"\\restrict ([A-Za-z0-9]+)\r?")
_UNRESTRICT: Final = re.compile(rb"\\unrestrict ([A-Za-z0-9]+)\r?")
_QUOTE: Final = re.compile(rb"\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$")
_TRANSACTION: Final = re.compile(
    rb"(?i)(BEGIN|COMMIT|ROLLBACK|ABORT|START\s+TRANSACTION)(?:\s+(?:WORK|TRANSACTION))?\s*;"
)
_PACKED: Final = (
    (b"\x1f\x8b", "gzip", "gunzip --keep"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "unzstd"),
    (b"BZh", "bzip2", "bunzip2 --keep"),
    (b"\xfd7zXZ\x00", "xz", "unxz --keep"),
    (b"PK\x03\x04", "zip", "unzip"),
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup's file is, why it must not be restored ("" when it may), and its rows by table.

    `rows` is None where they cannot be counted, and `unknown` says why.
    """

    form: Form
    refused: str = ""
    rows: dict[Table, int] | None = None
    unknown: str = ""


async def examine(path: Path) -> Contents:
    """Examine a file: SQL text to its end, which counts its rows; an archive at its beginning."""
    return await asyncio.to_thread(_examine, path)


async def count(path: Path, *, programs: str | None, timeout_s: float = 3600) -> Contents:
    """Count the rows of each table in a backup, an archive by the pg_restore found in `programs`."""
    found = await examine(path)
    if found.refused or found.form == "sql":
        return found
    reader = Reader()
    environ = {"PATH": programs or "/usr/bin:/bin", "BACKUP_FILE": str(path)}
    ended = await shell.run(
        'exec pg_restore --data-only --file=- "$BACKUP_FILE" 2> /dev/null',
        environ,
        reader,
        timeout_s=timeout_s,
    )
    if ended.exit_code == 127:
        return Contents("archive", unknown="pg_restore is not installed here")
    if ended.how != "exited" or ended.exit_code != 0:
        why = ended.reason or f"pg_restore ended with {ended.exit_code}"
        return Contents("archive", f"the backup could not be read to its end: {why}")
    return reader.contents("archive")


class Reader:
    """Reads SQL text as pg_dump writes it; counts the rows of each COPY and notes what must not be there."""

    def __init__(self) -> None:
        self.rows: dict[Table, int] = {}
        self.problem = ""
        self._rest = b""
        self._line = 0
        self._table: Table | None = None
        self._end = b"\\.\n"
        self._quote: bytes | None = None
        self._inserts = False
        self._key: bytes | None = None
        self._is_begun = False
        self._is_closed = False

    def feed(self, data: bytes) -> None:
        """Take in the next bytes."""
        if self._rest:
            data = self._rest + data
        place = 0
        while place < len(data):
            after = self._data(data, place) if self._table is not None else self._text(data, place)
            if after < 0:
                break
            place = after
        rest = data[place:]
        # The beginning of an endless line says enough.
        self._rest = rest if len(rest) <= 2 * _LINE else rest[:_LINE] + b" "

    def contents(self, form: Form) -> Contents:
        """Return what was found in the whole text."""
        if self._rest:
            self.feed(b"\n")
        if self._table is not None:
            cut = f"it ends within the data of {name_of(self._table)}: the file is cut off"
            return Contents(form, self.problem or cut)
        if self._key is not None and not self._is_closed:
            self._found("it ends without its \\unrestrict: the file is cut off")
        if self._inserts:
            unknown = "the backup holds INSERT statements, whose rows are not counted"
            return Contents(form, self.problem, None, unknown)
        return Contents(form, self.problem, self.rows)

    def _data(self, data: bytes, place: int) -> int:
        r"""Read on in a table's data: each line is a row, newlines in values are written as \n."""
        assert self._table is not None
        if data.startswith(self._end, place):
            ends = place
        else:
            found = data.find(b"\n" + self._end, place)
            ends = found + 1 if found >= 0 else data.rfind(b"\n", place) + 1
            if ends <= place:
                return -1
            self.rows[self._table] += (lines := data.count(b"\n", place, ends))
            self._line += lines
            if found < 0:
                return ends
        self._table = None
        self._line += 1
        return ends + len(self._end)

    def _text(self, data: bytes, place: int) -> int:
        """Read one line of statements."""
        ends = data.find(b"\n", place)
        if ends < 0:
            return -1
        self._line += 1
        line = data[place : min(ends, place + _LINE)]
        if self._quote is None:
            self._statement(line)
        for quote in _QUOTE.findall(data[place:ends]):
            if self._quote is None:
                self._quote = quote
            elif self._quote == quote:
                self._quote = None
        return ends + 1

    def _statement(self, line: bytes) -> None:
        is_blank = not line.strip() or line.startswith(b"--")
        if match := _COPY.match(line):
            self._table = (_unquoted(match[1] or b"public"), _unquoted(match[2]))
            self.rows.setdefault(self._table, 0)
            self._end = b"\\." + match[3] + b"\n"
        elif (match := _RESTRICT.fullmatch(line)) and self._key is None and not self._is_begun:
            self._key = match[1]
        elif (match := _UNRESTRICT.fullmatch(line)) and match[1] == self._key and not self._is_closed:
            self._is_closed = True
            return
        elif line.startswith(b"\\"):
            self._found(_meta(line))
        elif match := _TRANSACTION.match(line):
            self._found(f"a {match[1].decode().upper()} of its own: it would not be all or nothing")
        elif line[:12].upper() == b"INSERT INTO ":
            self._inserts = True
        if not is_blank:
            if self._is_closed:
                self._found("something follows its \\unrestrict")
            self._is_begun = True

    def _found(self, what: str) -> None:
        self.problem = self.problem or f"line {self._line:,}: {what}"


def name_of(table: Table) -> str:
    """Return a table's name for people."""
    return ".".join(table)


def _examine(path: Path) -> Contents:
    try:
        with path.open("rb") as file:
            head = file.read(512)
            if head.startswith(b"PGDMP"):
                return Contents("archive")
            if refused := _kind(head, path):
                return Contents("sql", refused)
            file.seek(0)
            reader = Reader()
            releases, behind = 0, b""
            while chunk := file.read(_CHUNK):
                reader.feed(chunk)
                releases += (behind + chunk).count(b"\\unrestrict")
                behind = chunk[-len(b"\\unrestric") :]
    except OSError as error:
        return Contents("sql", f"{path} cannot be read: {error.strerror}")
    found = reader.contents("sql")
    if not found.refused and releases > (reader._key is not None):
        # psql runs what follows it in backquotes, restricted or not.
        refused = "\\unrestrict stands in the midst of it: psql would obey commands in the text again"
        return Contents("sql", refused)
    return found


def _kind(head: bytes, path: Path) -> str:
    """Return why a file is not SQL text, and what makes one of it; "" when it is."""
    for magic, name, unpack in _PACKED:
        if head.startswith(magic):
            return f"it is compressed ({name}): {unpack} {path}, then restore what comes out"
    if head[257:262] == b"ustar":
        return "it is a tar archive: this restores pg_dump's custom format and SQL text"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return f"it is UTF-16, as a redirect in PowerShell writes it: iconv -f UTF-16 -t UTF-8 {path}"
    if not head.strip():
        return "it is empty"
    if b"\0" in head:
        return "it is neither an archive of pg_dump nor SQL text"
    return ""


def _meta(line: bytes) -> str:
    command = line.split()[0].decode("utf-8", "backslashreplace")[:40]
    if command in {"\\connect", "\\c"}:
        return f"{command} would go to another database: dump one database, without --create"
    return f"{command} is a command to psql, which could run programs here: no pg_dump writes it"


def _unquoted(name: bytes) -> str:
    if name.startswith(b'"'):
        name = name[1:-1].replace(b'""', b'"')
    return name.decode("utf-8", "backslashreplace")
