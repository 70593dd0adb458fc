"""The guard's verdict by the server: what a statement means, as the server itself analysed it.

Parse alone, in a read-only transaction, makes the server say what a statement reaches (`tree`): nothing is
planned and nothing is run. Each number in it is looked up, and so is what lies behind: a view's query, a
policy, a domain's check, an operator class, a default, the body of a function in SQL. What came with
PostgreSQL is judged by what is known of it (`functions`); what people made is a read only if all that lies
behind it is one. A server that does not show its tree leaves the statement unproven.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from isla_console.sql.apart import NotRead, apart
from isla_console.sql.bodies import MOST_NAMES, Source, Statement, explained, statements
from isla_console.sql.functions import HARMLESS_VOLATILE, effect, is_final, reviewed
from isla_console.sql.judging import judged
from isla_console.sql.queries import query
from isla_console.sql.tree import MAX_TREE, Reached, Unreadable, reached
from isla_console.sql.verdict import Class, Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncpg import Connection

MOST: Final = 5_000
"""How many objects of the catalogue a statement may reach."""
ROUNDS: Final = 24
"""How many times what lies behind is asked for."""
_IN_THREAD: Final = 1_000_000
"""The longest tree in characters that is read in a thread; a longer one is read in a process."""
_SHOW: Final = "; ".join(
    (
        "SET LOCAL debug_print_rewritten = on",
        "SET LOCAL debug_pretty_print = off",
        "SET LOCAL client_min_messages = log",
    )
)
_HIDE: Final = "SET LOCAL debug_print_rewritten = off; SET LOCAL client_min_messages = DEFAULT"
_TITLE: Final = "rewritten parse tree:"
_MADE_FOR_RANGES: Final = frozenset(
    {
        "range_constructor2",
        "range_constructor3",
        "multirange_constructor0",
        "multirange_constructor1",
        "multirange_constructor2",
    }
)
"""What CREATE TYPE … AS RANGE makes of PostgreSQL's own code, under a name of one's own."""
_NO_TREE: Final = "the server does not show what it reaches: only its text was looked at"
_NO_NAME: Final = frozenset({"42703", "42P01"})
"""undefined_column, undefined_table: a name that is no column, and so may be an argument."""

_TEXT: Final = "a text in it may be taken for a value of type {}, which runs code of your own"

Found = list[tuple[Class, str]]


@dataclass(slots=True)
class _Search:
    """What was reached so far, and what came of looking at it.

    What is only planned is kept apart from what is run: of it, PostgreSQL's volatile functions do nothing.
    """

    connection: Connection[Any]
    writes: bool = False
    """Whether it is of a statement that writes, of which only what is final counts."""
    planned: Reached = field(default_factory=Reached)
    run: Reached = field(default_factory=Reached)
    found: Found = field(default_factory=list)
    readers: dict[str, bool] | None = None
    """The types that read texts by code of somebody's own, and whether they need not be named for that."""
    by_path: set[str] = field(default_factory=set)
    """Functions in SQL in whose text names are looked up when it runs, by the path of whoever calls it."""
    other_paths: set[str] = field(default_factory=set)
    """Functions that run with another path than the session's."""

    def note(self, kind: Class, reason: str) -> None:
        """Keep that something cannot be told; what writes goes through its preview all the same."""
        if not self.writes:
            self.found.append((kind, reason))

    def seen(self, is_planned: bool) -> Reached:
        """Return what was looked at already."""
        return self.planned if is_planned else self.run


async def settle(verdict: Verdict, connection: Connection[Any], sql: str) -> Verdict:
    """Return the final verdict on a statement that reads by its text, once the server was asked about it.

    The connection is in a read-only transaction, which goes on.

    Raises:
        asyncpg.PostgresError, OSError: The server could not be asked, or does not take the statement.
    """
    if verdict.kind != "read":
        return verdict
    if verdict.is_show:
        return replace(verdict, settled=True)
    search = _Search(connection)
    try:
        text = await apart(explained, sql) if verdict.is_explain else sql
        if reader := await _reader_of_texts(search, verdict):
            return replace(verdict, kind="unproven", reasons=(_TEXT.format(reader),), settled=True)
        trees = await _trees(connection, text)
        if not trees:
            return replace(verdict, kind="unproven", reasons=(_NO_TREE,), settled=True)
        await _follow(search, trees, verdict.is_planned)
    except (NotRead, ValueError, Unreadable) as error:
        search.found.append(("unknown", str(error)))
    if not search.found:
        return replace(verdict, settled=True)
    kind = worst(*(kind for kind, _ in search.found))
    reasons = tuple(dict.fromkeys(text for one, text in search.found if one == kind))
    return replace(verdict, kind=kind, reasons=reasons, settled=True)


async def final_acts(connection: Connection[Any], sql: str) -> tuple[str, ...]:
    """Return what a statement that writes would do besides, which no rollback takes back.

    It is looked for as far as the server shows what the statement reaches; into code in other languages than
    SQL, and into triggers, nobody looks.

    Raises:
        asyncpg.PostgresError, OSError: The server could not be asked, or does not take the statement.
    """
    search = _Search(connection, writes=True)
    if await _reader_of_texts(search, await judged(sql)):
        return ()  # parsing it would run code before its transaction shows anything
    try:
        await _follow(search, await _trees(connection, sql), True)
    except Unreadable:
        return tuple(text for _, text in search.found)
    return tuple(dict.fromkeys(text for _, text in search.found))


async def _reader_of_texts(search: _Search, verdict: Verdict) -> str:
    """Return a type as whose value a text in a statement may be read by code that people made; "" for none.

    The server reads the texts in a statement when it parses it, each as the type that its place wants: then
    parsing is not without effects.
    """
    if not verdict.has_text:
        return ""
    if search.readers is None:
        rows = await own_rows(search.connection, "inputs")
        search.readers = {str(row["name"]): bool(row["used"]) for row in rows}
    return next((name for name, used in search.readers.items() if used or name in verdict.types), "")


async def own_rows(connection: Connection[Any], name: str, *arguments: Any) -> list[Mapping[str, Any]]:
    """Return the rows of a question of the guard's own, in which nobody else's operators are found.

    An operator in another schema whose arguments fit better than those of PostgreSQL's own would be chosen.
    """
    await connection.execute("SAVEPOINT isla_own; SET LOCAL search_path = pg_catalog")
    rows: list[Mapping[str, Any]] = await connection.fetch(query(name), *arguments)
    await connection.execute("ROLLBACK TO isla_own; RELEASE isla_own")
    return rows


async def _follow(search: _Search, trees: list[str], is_planned: bool) -> None:
    """Look at all that the trees of a statement reach, until there is nothing new or something is found."""
    fresh = [(await _read(trees, search, is_planned), is_planned)]
    for _ in range(ROUNDS):
        fresh = [(new, planned) for one, planned in fresh if (new := one - search.seen(planned))]
        if not fresh or search.found:
            return
        reached, planned = fresh.pop(0)
        if len(search.seen(planned)) + len(reached) > MOST:
            raise Unreadable(f"it reaches more than {MOST:,} things")
        fresh += await _look_behind(search, reached, planned)
    raise Unreadable("views and functions lie too deep inside each other")


async def _trees(connection: Connection[Any], sql: str) -> list[str]:
    """Return the server's trees of a statement that is only parsed; none where it does not show them."""
    trees: list[str] = []

    def listen(_: object, message: Any) -> None:
        if message.message == _TITLE:
            trees.append(message.detail or "")

    await connection.execute(_SHOW)
    connection.add_log_listener(listen)
    try:
        await connection.prepare(sql, name="")
        await asyncio.sleep(0)  # messages are handed on by the loop
    finally:
        connection.remove_log_listener(listen)
    await connection.execute(_HIDE)
    return trees


async def _read(trees: list[str], search: _Search, is_planned: bool) -> Reached:
    """Return what trees reach that was not reached before."""
    found = Reached()
    for tree in trees:
        found |= await _read_one(tree, planned=is_planned)
    if not search.writes:
        search.found += [("write", f"{act} behind a view or function") for act in sorted(found.acts)]
    return found - search.seen(is_planned)


async def _read_one(tree: str, *, planned: bool) -> Reached:
    if len(tree) > MAX_TREE:
        raise Unreadable(f"its tree is longer than {MAX_TREE // 1024**2} MiB")
    if len(tree) <= _IN_THREAD:
        return await asyncio.to_thread(reached, tree, planned=planned)
    try:
        return await apart(_reached_planned if planned else reached, tree)
    except NotRead as error:
        raise Unreadable(str(error)) from None


def _reached_planned(tree: str) -> Reached:
    return reached(tree, planned=True)


async def _look_behind(search: _Search, fresh: Reached, is_planned: bool) -> list[tuple[Reached, bool]]:
    """Look up what was reached, judge it, and return what lies behind, and whether that is only planned."""
    asked = (fresh.function, fresh.operator, fresh.family, fresh.type, fresh.relation)
    rows = await own_rows(search.connection, "reached", *map(sorted, asked), is_planned)
    seen = search.seen(is_planned)
    seen |= fresh
    _check_whole(fresh, rows)
    further, trees, bodies = Reached(), list[str](), list[str]()
    for row in rows:
        further.function |= _numbers(row["functions"])
        further.operator |= _numbers(row["operators"])
        further.type |= _numbers(row["types"])
        further.relation |= _numbers(row["relations"])
        is_function = row["what"] == "function"
        (bodies if is_function else trees).extend(row["trees"] or ())
        is_skipped = is_planned and row["nature"] == "v" and row["built_in"]
        if is_function and search.writes and not _is_own(row):
            if is_final(str(row["name"])) and (known := effect(str(row["name"]))):
                search.found.append(known)
        elif is_function and not is_skipped:
            if finding := _function(row):
                search.found += [] if search.writes else [finding]
            elif _has_text(row):
                bodies += await _trees_of_body(search, row)
        elif row["what"] == "relation" and row["nature"] == "f" and not search.writes:
            search.found.append(("unknown", f"{row['name']} is a foreign table: reading it acts elsewhere"))
    if search.found:
        return []
    # A function that is not volatile is run when it is planned, with all that is in it.
    further |= await _read(trees, search, is_planned)
    inside = await _read(bodies, search, search.writes)
    return [(further - seen, is_planned), (inside, search.writes)]


def _check_whole(fresh: Reached, rows: list[Mapping[str, Any]]) -> None:
    """See that the catalogue has answered for all that was asked, but for families without code."""
    answered = {(row["what"], row["oid"]) for row in rows}
    for what in ("function", "operator", "type", "relation"):
        for number in getattr(fresh, what):
            if (what, number) not in answered:
                raise Unreadable(f"it reaches a {what} that the catalogue does not show ({number})")


def _numbers(values: Any) -> set[int]:
    return {number for number in values or () if number}


def _function(row: Mapping[str, Any]) -> tuple[Class, str] | None:
    """Return what calling a function would do besides reading; None for nothing, or if its body says."""
    name, volatile, language = str(row["name"]), row["nature"] == "v", row["language"]
    if not _is_own(row):
        if known := effect(name):
            return known
        if volatile and name not in HARMLESS_VOLATILE:
            return "unknown", f"{name}() is volatile: it may have side effects"
        if row["built_in"] and not volatile and name not in reviewed():
            return "unknown", f"{name}() is a function of PostgreSQL that the guard does not know"
        return None
    if row["kind"] == "a" or _has_body(row):
        return None
    if language == "internal" and row["body"] in _MADE_FOR_RANGES:
        return None
    if language == "sql":
        return "unknown", f"{name}() changes settings while it runs: the guard cannot look into it"
    if volatile:
        return "unknown", f"{name}() is a volatile function of your own: it may do anything"
    return "unknown", f"{name}() is a function in {language}: the guard cannot look into it"


def _is_own(row: Mapping[str, Any]) -> bool:
    """Whether a function is neither PostgreSQL's nor an extension's in C."""
    return not (row["built_in"] or (row["extension"] and row["language"] in {"c", "internal"}))


def _has_body(row: Mapping[str, Any]) -> bool:
    """Whether it is a function in SQL that sets nothing, or only where names are looked up."""
    settings = row["settings"] or []
    return row["language"] == "sql" and all(one.startswith("search_path=") for one in settings)


def _has_text(row: Mapping[str, Any]) -> bool:
    """Whether its body is a text that the server has not analysed yet."""
    return not row["built_in"] and row["language"] == "sql" and bool((row["body"] or "").strip())


async def _trees_of_body(search: _Search, row: Mapping[str, Any]) -> list[str]:
    """Return the trees of each statement in a function's body."""
    name, types = str(row["name"]), list(row["argument_types"] or ())
    has_path = bool(row["settings"])
    (search.other_paths if has_path or row["is_definer"] else search.by_path).add(name)
    if row["is_definer"] and not has_path:
        search.note("unknown", f"{name}() runs as its owner, who may find other things under its names")
        return []
    if search.by_path and search.other_paths:
        here, there = min(search.by_path), min(search.other_paths)
        search.note("unknown", f"{here}() may find other things under its names when {there}() calls it")
        return []
    if None in types:
        search.note("unknown", f"{name}() takes values of any type: the guard cannot look into it")
        return []
    source = Source(name, tuple(row["argument_names"] or ()), row["body"])
    try:
        found = await apart(statements, source.pack())
    except (NotRead, ValueError) as error:
        search.note("unknown", f"{name}(): {error}")
        return []
    trees: list[str] = []
    for one in found:
        looks = one.verdict
        if looks.kind not in ({"read", "write"} if search.writes else {"read"}):
            search.found.append((looks.kind, f"{name}() {'; '.join(looks.reasons)}"))
            return []
        if reader := await _reader_of_texts(search, looks):
            search.note("unknown", f"{name}(): {_TEXT.format(reader)}")
            return []
        trees += await _analysed(search, row, one, types)
    return trees


async def _analysed(
    search: _Search, row: Mapping[str, Any], statement: Statement, types: list[str]
) -> list[str]:
    """Return the trees of one statement of a body, once it is known which of its names are arguments."""
    replaced: frozenset[int] = frozenset()
    path = next((one.partition("=")[2] for one in row["settings"] or ()), None)
    connection = search.connection
    for _ in range(MOST_NAMES):
        text, starts = statement.filled(types, replaced)
        await connection.execute("SAVEPOINT isla_body")
        try:
            if path is not None:
                await connection.fetch("SELECT pg_catalog.set_config('search_path', $1, true)", path)
            trees = await _trees(connection, text)
        except Exception as error:
            code, place = getattr(error, "sqlstate", ""), str(getattr(error, "position", "") or "")
            if not code:
                raise
            await connection.execute("ROLLBACK TO isla_body")
            index = starts.get(int(place)) if place.isdigit() else None
            if code not in _NO_NAME or index is None or index in replaced:
                break
            replaced |= {index}
        else:
            await connection.execute("ROLLBACK TO isla_body")
            if trees:
                return trees
            break
    search.note("unknown", f"{row['name']}() has a body that cannot be analysed alone")
    return []
