"""What the guard says of a statement, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Class = Literal["read", "write", "maintenance", "admin", "unknown"]
"""What a statement does.

`read` changes nothing. `write` changes rows or locks them. `maintenance` is VACUUM and its like, outside a
transaction. `admin` concerns definitions, settings, sessions or the server. `unknown`: the guard cannot tell.
"""

GRAVITY: tuple[Class, ...] = ("read", "maintenance", "write", "admin", "unknown")
"""The classes from harmless to worst: of several findings the worst one counts."""

Name = tuple[str, str]
"""A schema ("" where none is written) and a name."""
Call = tuple[str, str, int]
"""A function's schema and name, and how many arguments it is called with; -1 where that is not clear."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a statement whose nature only the server knows."""

    functions: frozenset[Call] = frozenset()
    relations: frozenset[Name] = frozenset()
    types: frozenset[Name] = frozenset()
    operators: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    """Names in `row.name`, which may be a column or a function called in the old style."""

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
    """Where the grammar failed; `position` counts characters from 1."""

    message: str
    position: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """A statement's class, and why. `settled` is false until the server has been asked about its names."""

    kind: Class
    verb: str
    """The statement's first words, for people: `SELECT`, `UPDATE`, `CREATE TABLE` ..."""
    reasons: tuple[str, ...] = ()
    names: Names = field(default_factory=Names)
    settled: bool = False
    mistake: Mistake | None = None

    @property
    def text(self) -> str:
        """The verdict in one line: `read · one statement · no side effects found`."""
        if self.mistake is not None:
            return f"not SQL that PostgreSQL would take: {self.mistake.message}"
        if self.kind == "read":
            found = "no side effects found" if self.settled else "no side effects seen; the server is asked"
            return f"read · one statement · {found}"
        return f"{self.kind} · {self.verb} · {'; '.join(self.reasons)}"


def worst(*kinds: Class) -> Class:
    """Return the worst of several classes."""
    return max(kinds, key=GRAVITY.index, default="read")
