"""What is wrong with a runbook, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from isla_console.text.plain import plain

Weight = Literal["error", "warning", "note"]
Path = tuple[str | int, ...]
"""Keys and indexes from the top of the document to a value."""

_EXCERPT = 60  # characters of a value that a message repeats


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit, in words for a person. No text holds control characters.

    Attributes:
        path: The file.
        line: Counts from 1; 0 means the file as a whole.
        column: Counts from 1, in characters; 0 means the file as a whole.
        where: The place in the document, such as `issues[1].diagnosis[0].run`, or "".
        problem: What is wrong.
        expected: What was expected there, or "".
        hint: The nearest known name, or "".
        severity: Only an error makes the runbook unusable.
    """

    path: str
    line: int
    column: int
    where: str
    problem: str
    expected: str = ""
    hint: str = ""
    severity: Weight = "error"

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        weight = "" if self.severity == "error" else f"{self.severity}: "
        where = f"{self.where}: " if self.where else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        hint = f" (did you mean {self.hint}?)" if self.hint else ""
        return f"{place}: {weight}{where}{self.problem}{expected}{hint}"


class RunbookError(Exception):
    """The runbook cannot be used; `findings` say why, in the order of the file."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))


def where(path: Path) -> str:
    """Write a path as people do, such as `issues[1].diagnosis[0].run`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{plain(part)}" if text else plain(part)
    return text


def show(value: object) -> str:
    """Describe a value in a message: its kind if it is large, else itself, cut and made harmless."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    text = plain(f"{value:.15g}" if isinstance(value, float) else str(value))
    if len(text) > _EXCERPT:
        text = text[: _EXCERPT - 1] + "…"
    return f'"{text}"' if isinstance(value, str) else text


def nearest(word: object, known: Iterable[str]) -> str:
    """Return the known name most like a word, "" if none is near."""
    if not isinstance(word, str):
        return ""
    # Only needed once something is wrong.
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    found = get_close_matches(word[:100].lower(), names, 1, 0.6)
    return names[found[0]] if found else ""
