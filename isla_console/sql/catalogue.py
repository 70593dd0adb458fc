"""What only the server knows about a statement: whether its functions are volatile, what its views hide.

No name is trusted. A function that came with PostgreSQL is judged by its volatility; a view, a function in
SQL and a domain's check are examined in turn; everything else that people made is unknown.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from isla_console.sql.functions import HARMLESS_VOLATILE, effect
from isla_console.sql.judging import judged
from isla_console.sql.verdict import Class, Name, Names, Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asyncpg import Connection

QUERIES: Final = Path(__file__).parent / "queries"
DEPTH: Final = 8
"""How many levels of views and functions inside each other are followed."""


def query(name: str) -> str:
    """Return the text of `queries/<name>.sql`."""
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


async def settle(verdict: Verdict, connection: Connection[Any]) -> Verdict:
    """Return the final verdict on a statement that reads by its text, once the server was asked its names.

    Raises:
        asyncpg.PostgresError, OSError: The server could not be asked.
    """
    if verdict.kind != "read":
        return verdict
    asked, names = Names(), verdict.names
    for _ in range(DEPTH):
        if not names:
            return replace(verdict, settled=True)
        rows = await connection.fetch(query("catalogue"), *_arguments(names))
        found: list[tuple[Class, str]] = []
        bodies: list[str] = []
        for row in rows:
            finding, hidden = _examine(row)
            found += finding
            bodies += hidden
        asked, deeper = asked | names, Names()
        for body in bodies:
            inner = await judged(body)
            if inner.kind != "read":
                found.append((inner.kind, f"behind a view or function: {'; '.join(inner.reasons)}"))
            deeper |= inner.names
        if found:
            kind = worst(*(kind for kind, _ in found))
            return replace(
                verdict,
                kind=kind,
                reasons=tuple(dict.fromkeys(text for one, text in found if one == kind)),
                settled=True,
            )
        names = deeper - asked
    return replace(verdict, kind="unknown", reasons=("views and functions lie too deep",), settled=True)


def _arguments(names: Names) -> tuple[list[Any], ...]:
    calls = sorted(names.functions)
    return (
        [f"{schema}.{name}" for schema, name, _ in calls],
        _joined(names.relations),
        _joined(names.types),
        sorted(names.operators),
        sorted(names.fields),
        sorted({name for _, name in names.types}),
        [arguments for _, _, arguments in calls],
    )


def _joined(names: Iterable[Name]) -> list[str]:
    return sorted(f"{schema}.{name}" for schema, name in names)


def _examine(row: Mapping[str, Any]) -> tuple[list[tuple[Class, str]], list[str]]:
    """Return what one row of the catalogue means: findings, and SQL texts to examine."""
    match row["what"]:
        case "function":
            return _function(row)
        case "relation":
            if row["nature"] == "f":
                return [("unknown", f"{row['name']} is a foreign table: reading it acts elsewhere")], []
            trusted = row["built_in"] or row["extension"]
            return [], [row["body"]] if row["body"] and not trusted else []
        case _:
            return _type(row)


def _function(row: Mapping[str, Any]) -> tuple[list[tuple[Class, str]], list[str]]:
    name, volatile = str(row["name"]), row["nature"] == "v"
    if row["built_in"] or row["extension"]:
        if known := effect(name):
            return [known], []
        if volatile and name not in HARMLESS_VOLATILE:
            return [("unknown", f"{name}() is volatile: it may have side effects")], []
        if row["built_in"] or row["language"] in {"c", "internal"} or volatile:
            return [], []
    if volatile:
        return [("unknown", f"{name}() is a volatile function of your own: it may do anything")], []
    if row["body"]:
        return [], [str(row["body"])]
    return [("unknown", f"{name}() is a function in {row['language']}: the guard cannot look into it")], []


def _type(row: Mapping[str, Any]) -> tuple[list[tuple[Class, str]], list[str]]:
    if row["built_in"] or row["extension"]:
        return [], []
    if row["nature"] == "d":
        return [], [f"SELECT ({row['body']})"] if row["body"] else []
    if row["nature"] in {"b", "r", "m"}:
        return [("unknown", f"{row['name']} is a type of your own with code behind it")], []
    return [], []
