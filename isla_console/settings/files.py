"""Files of a bounded size: the TOML file of settings, and the ones that hold one value each."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from pathlib import Path
from typing import Final

_MAX_VALUE_FILE: Final = 64 * 1024  # bytes; an address or a key is far smaller
_MAX_CONFIG_FILE: Final = 1024 * 1024  # bytes


class UnreadableFile(Exception):
    """The config file cannot be used; the message says where and why, and quotes no value."""


def read_config(path: Path) -> tuple[dict[str, str], dict[str, tuple[int, int]], tuple[str, ...]]:
    """Return the config file's values, each key's line and column, and the findings; empty without a file.

    Raises:
        UnreadableFile: It is not a readable TOML file.
    """
    raw, problem = _read_bytes(path, _MAX_CONFIG_FILE)
    if raw is None:
        if problem == "no such file":
            return {}, {}, ()
        raise UnreadableFile(f"{path}: {problem}")
    import tomllib  # only when there is such a file: imports delay the first frame

    try:
        text = raw.decode()
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(f"{path}:{line}:1: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise UnreadableFile(_toml_finding(path, str(error), text)) from None
    except RecursionError:
        raise UnreadableFile(f"{path}: is nested too deeply") from None
    positions = {key: _key_position(text, key) for key in table}
    values: dict[str, str] = {}
    findings: list[str] = []
    for key, value in table.items():
        if isinstance(value, bool):
            values[key] = "1" if value else "0"
        elif isinstance(value, str | int | float):
            values[key] = str(value)
        else:
            line, column = positions[key]
            kind = "a table" if isinstance(value, dict) else f"a {type(value).__name__}"
            findings.append(
                f'{path}:{line}:{column}: {short(key)} is {kind}: write NAME = "value", keys are flat'
            )
    return {key: value for key, value in values.items() if value}, positions, tuple(findings)


def _toml_finding(path: Path, message: str, text: str) -> str:
    """Return tomllib's message as file:line:column. It can quote a character, never a value."""
    if match := re.search(r" \(at line (\d+), column (\d+)\)$", message):
        return f"{path}:{match[1]}:{match[2]}: {message[: match.start()]}"
    lines = text.splitlines() or [""]
    problem = message.removesuffix(" (at end of document)")
    return f"{path}:{len(lines)}:{len(lines[-1]) + 1}: {problem}, and the file ends"


def _key_position(text: str, key: str) -> tuple[int, int]:
    """Return the line and column, from 1, of a top-level key or table header."""
    quoted = re.escape(key)
    pattern = rf"^[ \t]*\[*[ \t]*[\"']?(?P<key>{quoted})[\"']?[ \t]*[\].=]"
    if match := re.search(pattern, text, re.MULTILINE):
        start = match.start("key")
        return text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1
    return 1, 1


def read_value(path: Path) -> tuple[str | None, str]:
    """Return a secret file's text without its trailing newline, or None and the reason."""
    raw, problem = _read_bytes(path, _MAX_VALUE_FILE)
    if raw is None:
        return None, problem
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None, "is not UTF-8 text"
    text = text.rstrip("\r\n")
    if "\0" in text or "\n" in text:
        return None, "holds more than one line: a value is one line"
    return text, ""


def _read_bytes(path: Path, limit: int) -> tuple[bytes | None, str]:
    """Return a regular file's content, or None and the reason. Never blocks on a pipe."""
    try:
        with contextlib.closing(_Descriptor(path)) as file:
            mode = os.fstat(file.number).st_mode
            if stat.S_ISDIR(mode):
                return None, "is a directory"
            if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
                return None, "is no regular file"
            content = b""
            while len(content) <= limit and (part := os.read(file.number, limit + 1)):
                content += part
    except FileNotFoundError:
        return None, "no such file"
    except (OSError, ValueError) as error:
        return None, (getattr(error, "strerror", None) or "cannot be opened").lower()
    if len(content) > limit:
        return None, f"is larger than {limit // 1024} KiB"
    return content, ""


class _Descriptor:
    """An open file descriptor; O_NONBLOCK, so that a pipe that nobody writes to does not block."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self.number)


def short(text: str | None) -> str:
    """Return text that came from outside for a finding: printable and short."""
    shown = "".join(c if c.isprintable() else "?" for c in text or "")
    return shown if len(shown) <= 120 else shown[:119] + "…"
