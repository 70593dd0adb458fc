"""What the guard says about a statement, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Class = Literal["read", "write", "maintenance", "admin", "unknown"]
"""read: changes nothing. write: changes rows or locks them. maintenance: VACUUM and its like, outside a
transaction. admin: definitions, settings, sessions, the server. unknown: the guard cannot tell."""

GRAVITY: tuple[Class, ...] = ("read", "maintenance", "write", "admin", "unknown")
"""From harmless to worst: of several findings the last one counts."""

Name = tuple[str, str]
"""A schema ("" where none is written) and a name."""
Call = tuple[str, str, int]
"""A function's schema and name, and with how many arguments it is called; -1 where that is not plain."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a statement mentions and only the server can tell the nature of."""

    functions: frozenset[Call] = frozenset()
    relations: frozenset[Name] = frozenset()
    types: frozenset[Name] = frozenset()
    operators: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    """`row.name` may be a column, or a function called in the old style."""

    def __or__(self, other: Names) -> Names:
        return Names(
            self.functions | other.functions,
            self.relations | other.relations,
            self.types | other.types,
            self.operators | other.operators,
            self.fields | other.fields,
        )

    def __sub__(self, other: Names) -> Names:
        return Names(
            self.functions - other.functions,
            self.relations - other.relations,
            self.types - other.types,
            self.operators - other.operators,
            self.fields - other.fields,
        )

    def __bool__(self) -> bool:
        return bool(self.functions or self.relations or self.types or self.operators or self.fields)


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where the grammar gave up; `position` counts characters from 1."""

    message: str
    position: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """One statement's class and why. `settled` is false until the server was asked about its names."""

    kind: Class
    verb: str
    """The statement's first words, for people: SELECT, UPDATE, CREATE TABLE ..."""
    reasons: tuple[str, ...] = ()
    names: Names = field(default_factory=Names)
    settled: bool = False
    mistake: Mistake | None = None

    @property
    def text(self) -> str:
        """One line: `read · one statement · no side effects found`."""
        if self.mistake is not None:
            return f"not SQL that PostgreSQL would take: {self.mistake.message}"
        if self.kind == "read":
            found = "no side effects found" if self.settled else "no side effects seen; the server is asked"
            return f"read · one statement · {found}"
        return f"{self.kind} · {self.verb} · {'; '.join(self.reasons)}"


def worst(*kinds: Class) -> Class:
    """The gravest of several classes."""
    return max(kinds, key=GRAVITY.index, default="read")
