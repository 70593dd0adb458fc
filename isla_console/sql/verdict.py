"""What the guard says of a statement, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Class = Literal["read", "unproven", "write", "maintenance", "admin", "unknown"]
"""What a statement does.

`read` changes nothing, as the server itself analysed it. `unproven`: nothing in the text changes anything,
but the server does not show what its names mean. `write` changes rows or locks them. `maintenance` is VACUUM
and its like, outside a transaction. `admin` concerns definitions, settings, sessions or the server.
`unknown`: the guard cannot tell.
"""

GRAVITY: tuple[Class, ...] = ("read", "unproven", "maintenance", "write", "admin", "unknown")
"""The classes from harmless to worst: of several findings the worst one counts."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where the grammar failed; `position` counts characters from 1."""

    message: str
    position: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """A statement's class, and why. `settled` is false until the server was asked what it means."""

    kind: Class
    verb: str
    """The statement's first words, for people: `SELECT`, `UPDATE`, `CREATE TABLE` ..."""
    reasons: tuple[str, ...] = ()
    settled: bool = False
    mistake: Mistake | None = None
    is_show: bool = False
    """Whether it is a SHOW, which reaches nothing but a setting."""
    has_text: bool = False
    """Whether it has a text in quotes, which the server may take for a value of any type."""
    types: frozenset[str] = frozenset()
    """The types that it names, without their schemas."""
    is_explain: bool = False
    is_planned: bool = False
    """Whether it is an EXPLAIN that runs nothing."""

    @property
    def text(self) -> str:
        """The verdict in one line: `read · one statement · no side effects found`."""
        if self.mistake is not None:
            return f"not SQL that PostgreSQL would take: {self.mistake.message}"
        if self.kind == "read":
            found = "no side effects found" if self.settled else "no side effects seen; the server is asked"
            return f"read · one statement · {found}"
        if self.kind == "unproven":
            return f"not proven · {'; '.join(self.reasons)}"
        return f"{self.kind} · {self.verb} · {'; '.join(self.reasons)}"


def worst(*kinds: Class) -> Class:
    """Return the worst of several classes."""
    return max(kinds, key=GRAVITY.index, default="read")
