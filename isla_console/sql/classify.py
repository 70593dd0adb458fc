"""The guard: PostgreSQL's own grammar judges a statement before the server sees it.

The whole tree is walked, and it fails closed: a read consists only of the kinds of node that are listed
here. Everything else is named for what it does, or is unknown. What the names in it mean, only the server
knows: `meaning.settle` asks it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from isla_console.sql.functions import effect
from isla_console.sql.grammar import ADMIN, PLANNED, READ, STATEMENTS
from isla_console.sql.verdict import Class, Mistake, Verdict, worst

if TYPE_CHECKING:
    from google.protobuf.message import Message

MAX_LENGTH: Final = 200_000
"""The longest statement that is judged, in characters."""

_OFF: Final = frozenset({"off", "false", "0"})
_SAMPLING: Final = frozenset({"system", "bernoulli", "system_rows", "system_time"})


def classify(sql: str) -> Verdict:
    """Return the verdict as far as the text tells, not settled: see `meaning.settle`. Never raises."""
    if not sql.strip():
        return Verdict("unknown", "nothing", ("there is no statement",))
    if len(sql) > MAX_LENGTH:
        return Verdict(
            "unknown", "text", (f"{len(sql):,} characters: the guard reads at most {MAX_LENGTH:,}",)
        )
    if "\0" in sql or not _encodable(sql):
        return Verdict("unknown", "text", ("this is no text that a server takes",))
    import postgast

    try:
        tree = postgast.parse(sql)
    except postgast.PgQueryError as error:
        message = str(getattr(error, "message", error))
        return Verdict(
            "unknown",
            _first_words(sql),
            ("PostgreSQL's grammar does not take it",),
            mistake=Mistake(message, max(1, error.cursorpos)),
        )
    except Exception as error:  # the parser is C and protobuf: whatever it raises, the verdict is no
        return Verdict("unknown", _first_words(sql), (f"the guard cannot read it ({type(error).__name__})",))
    if len(tree.stmts) != 1:
        many = "there is no statement" if not tree.stmts else f"{len(tree.stmts)} statements: one at a time"
        return Verdict("unknown", _first_words(sql), (many,))
    return _judge(tree, _first_words(sql))


def tree_of(sql: str) -> Any:
    """Return the parsed statement, for building another one from it.

    Raises:
        postgast.PgQueryError: It is not SQL.
    """
    import postgast

    return postgast.parse(sql)


def statement_kind(tree: Any) -> str:
    """Return the outermost statement's node type, such as UpdateStmt."""
    from postgast import unwrap_node

    return type(unwrap_node(tree.stmts[0].stmt)).__name__


def _judge(tree: Message, verb: str) -> Verdict:
    from postgast import unwrap_node

    outer = unwrap_node(tree.stmts[0].stmt)
    found: list[tuple[Class, str]] = []
    strange: list[str] = []
    is_explain = type(outer).__name__ == "ExplainStmt"
    plan_only = is_explain and not _analyzes(outer)
    has_text, types = False, set[str]()
    for node in nodes_of(tree):
        name = type(node).__name__
        if name == "A_Const" and cast("Any", node).WhichOneof("val") == "sval":
            has_text = True
        elif name == "TypeName":
            types.add(_last(cast("Any", node).names).lstrip("_"))
        if (fields := READ.get(name)) is not None:
            strange += _strange_fields(node, name, fields)
            if name == "FuncCall" and (known := effect(_last(node.funcname).lower())):
                found.append(known)
            elif name == "RangeTableSample" and _last(node.method) not in _SAMPLING:
                found.append(("unknown", "samples by a method the guard does not know"))
        elif plan_only and name in PLANNED:
            strange += _strange_fields(node, name, PLANNED[name])
        elif name in STATEMENTS:
            found.append(_special(node, name))
        elif name in ADMIN:
            found.append(("admin", "changes definitions or rights"))
        elif name != "Node" or node.ListFields():  # an empty place
            strange.append(name)
    if strange and not found:  # a node of a statement of another class is explained by that class
        found.append(("unknown", f"the guard does not know {strange[0]}"))
    kind = worst(*(kind for kind, _ in found))
    reasons = tuple(dict.fromkeys(reason for one, reason in found if one == kind))
    is_show = type(outer).__name__ == "VariableShowStmt"
    return Verdict(
        kind,
        verb,
        reasons,
        is_show=is_show,
        has_text=has_text,
        types=frozenset(types),
        is_explain=is_explain,
        is_planned=plan_only,
    )


def _strange_fields(node: Any, name: str, fields: frozenset[str]) -> list[str]:
    return [f"{name}.{field.name}" for field, _ in node.ListFields() if field.name not in fields]


def _special(node: Any, name: str) -> tuple[Class, str]:
    if name == "CopyStmt" and node.is_program:
        return "admin", "starts a program on the server"
    if name == "CopyStmt" and node.is_from:
        return "write", "adds rows"
    return STATEMENTS[name]


def _analyzes(explain: Any) -> bool:
    """Return whether EXPLAIN also runs the statement; any value that is not clearly off counts as on."""
    from postgast import unwrap_node

    found = False
    for option in explain.options:
        element = unwrap_node(option)
        if element.defname.lower() == "analyze":
            found = not (element.HasField("arg") and _value(unwrap_node(element.arg)).lower() in _OFF)
    return found


def _value(node: Any) -> str:
    for field in ("sval", "ival", "fval", "boolval"):
        if hasattr(node, field):
            return str(getattr(node, field))
    return ""


def nodes_of(tree: Message) -> list[Message]:
    """Return every node of a tree, the outer ones first; of a constant only that it is one.

    `postgast.walk` gives the same, but takes ten seconds for a list of 33,000 constants.
    """
    from google.protobuf.message import Message

    found: list[Message] = []
    open_ones: list[Any] = [tree]
    while open_ones:
        node = open_ones.pop()
        name = type(node).__name__
        if name == "Node" and (inner := node.WhichOneof("node")) is not None:
            node = getattr(node, inner)
            name = type(node).__name__
        found.append(node)
        if name == "A_Const":
            continue
        inside: list[Any] = []
        for field, value in node.ListFields():
            if isinstance(value, Message):
                inside.append(value)
            elif field.message_type is not None:
                inside += value
        open_ones += reversed(inside)
    return found


def parts_of(names: Any) -> list[str]:
    """Return the parts of a dotted name; a star and a subscript are ""."""
    from postgast import unwrap_node

    return [str(getattr(unwrap_node(part), "sval", "")) for part in names]


def _last(names: Any) -> str:
    parts = parts_of(names)
    return parts[-1] if parts else ""


def _first_words(sql: str) -> str:
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
    words = re.findall(r"[A-Za-z]+", bare)[:2]
    two = {"CREATE", "ALTER", "DROP", "REFRESH", "EXPLAIN"}
    return " ".join(words[: 2 if words and words[0].upper() in two else 1]).upper() or "text"


def _encodable(sql: str) -> bool:
    try:
        sql.encode()
    except UnicodeEncodeError:
        return False
    return True
