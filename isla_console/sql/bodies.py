"""Functions in SQL whose body is a text: each statement of it, made ready for the server to analyse alone.

Where the body names an argument, a NULL of the argument's type stands: its type decides what is reached, its
value does not. `$1` is always the argument. A name is a column first, and the argument only where there is no
such column: that the server knows, which then says where the name stands.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from isla_console.sql.classify import classify, nodes_of, parts_of, tree_of
from isla_console.sql.verdict import Verdict

MOST_OPTIONS: Final = 64
"""Within how many tokens of an EXPLAIN its statement begins; all of its options are fewer."""
MOST_NAMES: Final = 60
"""How many names of one statement are looked at."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a statement may name an argument: byte `start` to `end` of it."""

    start: int
    end: int
    number: int
    """The argument, counted from 1."""
    is_sure: bool
    """Whether it is the argument whatever columns there are."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a body."""

    text: bytes
    references: tuple[Reference, ...]
    verdict: Verdict
    """What the grammar says of it."""

    def filled(self, types: Sequence[str], replaced: frozenset[int]) -> tuple[str, dict[int, int]]:
        """Return the statement with arguments replaced, and which reference begins at which character.

        Args:
            types: The arguments' types, quoted and qualified.
            replaced: Which references, by their index, are arguments; those that are sure are in any case.
        """
        text, at, starts = "", 0, {}
        for index, one in enumerate(self.references):
            text += self.text[at : one.start].decode()
            starts[len(text) + 1] = index
            if one.is_sure or index in replaced:
                text += f"(CAST(NULL AS {types[one.number - 1]}))"
            else:
                text += self.text[one.start : one.end].decode()
            at = one.end
        return text + self.text[at:].decode(), starts


@dataclass(frozen=True, slots=True)
class Source:
    """A body and what its arguments are called, as one text for `apart`."""

    name: str
    arguments: tuple[str, ...]
    body: str

    def pack(self) -> str:
        """Return it as one text."""
        return json.dumps((self.name, self.arguments, self.body))


def explained(sql: str) -> str:
    """Return what an EXPLAIN is of, as it stands in its text.

    Raises:
        ValueError: That is not clear.
    """
    import postgast

    text = sql.encode()
    query = tree_of(sql).stmts[0].stmt.explain_stmt.query
    with contextlib.suppress(postgast.PgQueryError):  # what cannot be written out again is not clear either
        wanted = _normal(query)
        for token in postgast.scan(sql).tokens[1:MOST_OPTIONS]:
            rest = text[token.start :].decode()
            try:
                tree = tree_of(rest)
            except postgast.PgQueryError:
                continue
            if len(tree.stmts) == 1 and _normal(tree.stmts[0].stmt) == wanted:
                return rest
    raise ValueError("what it explains cannot be told from its options")


def _normal(statement: Any) -> str:
    import postgast

    parsed = postgast.pg_query_pb2.ParseResult()
    parsed.stmts.add().stmt.CopyFrom(statement)
    return str(postgast.deparse(parsed))


def statements(packed: str) -> tuple[Statement, ...]:
    """Return the statements of a packed `Source`.

    Raises:
        ValueError: The body is none that the grammar takes.
    """
    name, arguments, body = json.loads(packed)
    source = Source(name, tuple(arguments), body)
    try:
        tree = tree_of(body)
    except Exception as error:
        raise ValueError(f"its body cannot be read ({type(error).__name__})") from None
    raw = body.encode()
    found = []
    for one in tree.stmts:
        begin = one.stmt_location
        end = begin + one.stmt_len if one.stmt_len else len(raw)
        verdict = classify(raw[begin:end].decode())
        references = sorted(_references(one, source, raw, begin), key=lambda reference: reference.start)
        found.append(Statement(raw[begin:end], tuple(references), verdict))
    return tuple(found)


def _references(statement: Any, source: Source, raw: bytes, begin: int) -> list[Reference]:
    found = []
    for node in nodes_of(statement):
        one: Any = node
        kind = type(node).__name__
        if kind == "ParamRef":
            start = one.location
            end = start + 1 + len(str(one.number))
            found.append(Reference(start - begin, end - begin, one.number, True))
        elif kind == "ColumnRef":
            parts = parts_of(one.fields)
            start = one.location
            number, length = _argument(parts, source)
            end = _end_of_names(raw, start, length) if number else 0
            if end:
                found.append(Reference(start - begin, end - begin, number, False))
    return found


def _argument(parts: list[str], source: Source) -> tuple[int, int]:
    """Return which argument a name may be, counted from 1 (0: none), and how many of its parts say so."""
    # In the server's order: function.argument, then argument or argument.field.
    if len(parts) > 1 and parts[0] == source.name and parts[1] in source.arguments and parts[1]:
        return source.arguments.index(parts[1]) + 1, 2
    if parts and parts[0] in source.arguments and parts[0]:
        return source.arguments.index(parts[0]) + 1, 1
    return 0, 0


def _end_of_names(raw: bytes, start: int, count: int) -> int:
    """Return where the first `count` parts of a dotted name end; 0 where that is not clear."""
    text = raw[start:].decode(errors="replace")
    at = 0
    for number in range(count):
        if number:
            while text[at : at + 1].isspace():
                at += 1
            if text[at : at + 1] != ".":
                return 0
            at += 1
            while text[at : at + 1].isspace():
                at += 1
        if text[at : at + 1] == '"':
            end = text.find('"', at + 1)
            if end < 0 or text[end + 1 : end + 2] == '"':
                return 0
            at = end + 1
        else:
            begin = at
            while text[at : at + 1].isalnum() or text[at : at + 1] in {"_", "$"}:
                at += 1
            if at == begin:
                return 0
    return start + len(text[:at].encode())
