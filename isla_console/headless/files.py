"""Writing a file whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


class WriteError(Exception):
    """The file was not written; what was there is unchanged."""


def write_file(path: Path, text: str) -> Path | None:
    """Write UTF-8 text in one step; an older version that differs is kept as `NAME~`.

    Returns:
        Where the older version is, or None if there was none.

    Raises:
        WriteError: The path is a directory or not a regular file, or the disk does not take it.
    """
    try:
        path = path.resolve()
        data = text.encode("utf-8")
        before = _read_existing(path)
        if before == data:
            return None
        kept = path.with_name(f"{path.name}~") if before is not None else None
        if kept is not None and before is not None:
            _write_atomically(kept, before, _file_mode(path))
        _write_atomically(path, data, _file_mode(path))
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WriteError(f"{path}: {reason or error}") from None
    return kept


def _read_existing(path: Path) -> bytes | None:
    if not path.exists():
        return None
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise WriteError(f"{path}: is a directory")
    if not stat.S_ISREG(mode):
        raise WriteError(f"{path}: is not a file; leave -o out for standard output")
    return path.read_bytes()


def _file_mode(path: Path) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _write_atomically(path: Path, data: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
