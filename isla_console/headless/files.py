"""Writing a file so that it is there whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


class WriteError(Exception):
    """The file was not written; what stood there still does."""


def write_file(path: Path, text: str) -> Path | None:
    """Write UTF-8 text in one step; an older version that differs is kept as `NAME~`.

    Answers where that is, None without one. Raises WriteError for a directory, for what is
    no regular file, and when the disk will not take it.
    """
    try:
        path = path.resolve()
        data = text.encode("utf-8")
        before = _before(path)
        if before == data:
            return None
        kept = path.with_name(f"{path.name}~") if before is not None else None
        if kept is not None and before is not None:
            _replace(kept, before, _mode(path))
        _replace(path, data, _mode(path))
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WriteError(f"{path}: {reason or error}") from None
    return kept


def _before(path: Path) -> bytes | None:
    if not path.exists():
        return None
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise WriteError(f"{path}: is a directory")
    if not stat.S_ISREG(mode):
        raise WriteError(f"{path}: is not a file; leave -o out for standard output")
    return path.read_bytes()


def _mode(path: Path) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _replace(path: Path, data: bytes, mode: int) -> None:
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
