"""The guard: PostgreSQL's own grammar judges a statement before the server sees it.

The whole tree is walked, and it fails closed: a read consists only of the kinds of node that are listed
here. Everything else is named for what it does, or is unknown. What only the server knows (whether a
function is volatile, what a view hides) is listed in `Verdict.names`, for `catalogue.settle` to ask about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from isla_console.sql.functions import effect
from isla_console.sql.verdict import Call, Class, Mistake, Name, Names, Verdict, worst

if TYPE_CHECKING:
    from google.protobuf.message import Message

MAX_LENGTH: Final = 200_000
"""The longest statement that is judged, in characters."""

ANY_NUMBER: Final = -1

_READ_NODES: Final = """
    ParseResult RawStmt SelectStmt ResTarget ColumnRef A_Star String Integer Float Boolean BitString List
    A_Const A_Expr A_Indirection A_Indices A_ArrayExpr BoolExpr NullTest BooleanTest SubLink FuncCall
    NamedArgExpr TypeCast TypeName CollateClause CaseExpr CaseWhen CoalesceExpr MinMaxExpr SQLValueFunction
    XmlExpr XmlSerialize RowExpr ParamRef SortBy WindowDef RangeVar RangeSubselect RangeFunction
    RangeTableFunc RangeTableFuncCol RangeTableSample JoinExpr Alias WithClause CommonTableExpr
    CTESearchClause CTECycleClause GroupingSet GroupingFunc ColumnDef
    JsonFormat JsonReturning JsonValueExpr JsonOutput JsonArgument JsonFuncExpr JsonBehavior JsonTable
    JsonTableColumn JsonTablePathSpec JsonKeyValue JsonParseExpr JsonScalarExpr JsonSerializeExpr
    JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor JsonAggConstructor JsonObjectAgg
    JsonArrayAgg JsonIsPredicate VariableShowStmt ExplainStmt DefElem
"""
_READS: Final = frozenset(_READ_NODES.split())

_PLANNED_NODES: Final = """
    InsertStmt UpdateStmt DeleteStmt MergeStmt LockingClause OnConflictClause InferClause IndexElem
    MergeWhenClause ReturningClause ReturningOption MultiAssignRef SetToDefault
"""
_PLANNED: Final = frozenset(_PLANNED_NODES.split())
"""Kinds of node that EXPLAIN without ANALYZE only plans."""

_KNOWN: Final[dict[str, tuple[Class, str]]] = {
    "InsertStmt": ("write", "adds rows"),
    "UpdateStmt": ("write", "changes rows"),
    "DeleteStmt": ("write", "deletes rows"),
    "MergeStmt": ("write", "changes rows"),
    "TruncateStmt": ("write", "empties tables"),
    "LockingClause": ("write", "locks rows"),
    "IntoClause": ("write", "makes a table"),
    "CreateTableAsStmt": ("write", "makes a table"),
    "LockStmt": ("write", "locks tables"),
    "VacuumStmt": ("maintenance", "rewrites storage or statistics"),
    "ReindexStmt": ("maintenance", "rebuilds indexes"),
    "ClusterStmt": ("maintenance", "rewrites a table"),
    "RefreshMatViewStmt": ("maintenance", "fills a view anew"),
    "CheckPointStmt": ("maintenance", "writes all buffers out"),
    "CopyStmt": ("unknown", "COPY moves data past the guard: SELECT and x (export) do it"),
    "DoStmt": ("unknown", "runs code that the guard does not look into"),
    "CallStmt": ("unknown", "calls a procedure"),
    "PrepareStmt": ("unknown", "keeps a statement in the session"),
    "ExecuteStmt": ("unknown", "runs a statement that is not in sight"),
    "DeallocateStmt": ("admin", "changes the session"),
    "DeclareCursorStmt": ("unknown", "keeps a cursor in the session"),
    "FetchStmt": ("unknown", "moves a cursor"),
    "ClosePortalStmt": ("admin", "changes the session"),
    "TransactionStmt": ("admin", "would end the guard's transaction"),
    "VariableSetStmt": ("admin", "changes a setting"),
    "ConstraintsSetStmt": ("admin", "changes the transaction"),
    "AlterSystemStmt": ("admin", "changes the server's settings"),
    "DiscardStmt": ("admin", "wipes the session"),
    "ListenStmt": ("admin", "changes the session"),
    "UnlistenStmt": ("admin", "changes the session"),
    "NotifyStmt": ("write", "notifies listeners"),
    "LoadStmt": ("admin", "loads code into the server"),
}
_ADMIN: Final = re.compile(
    r"(Create|Alter|Drop|Grant|Comment|SecLabel|Rename|Rule|View|Index|Define|Import|Reassign|Replica|Createdb|"
    r"Dropdb|Composite)\w*Stmt"
)
_OFF: Final = frozenset({"off", "false", "0"})
_SAMPLING: Final = frozenset({"system", "bernoulli"})


def classify(sql: str) -> Verdict:
    """Return the verdict as far as the text tells, not settled: see `catalogue.settle`. Never raises."""
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
    plan_only = type(outer).__name__ == "ExplainStmt" and not _analyzes(outer)
    nodes = _nodes(tree)
    for node in nodes:
        name = type(node).__name__
        if plan_only and name in _PLANNED:
            continue
        if name in _KNOWN:
            found.append(_special(node, name))
        elif _ADMIN.fullmatch(name):
            found.append(("admin", "changes definitions or rights"))
        elif name == "FuncCall":
            if known := effect(_last(node.funcname).lower()):
                found.append(known)
        elif name == "RangeTableSample":
            if _last(node.method) not in _SAMPLING:
                found.append(("unknown", "samples by a method the guard does not know"))
        elif name not in _READS and not (name == "Node" and not node.ListFields()):  # an empty place
            strange.append(name)
    if strange and not found:  # a node of a statement of another class is explained by that class
        found.append(("unknown", f"the guard does not know {strange[0]}"))
    kind = worst(*(kind for kind, _ in found))
    reasons = tuple(dict.fromkeys(reason for one, reason in found if one == kind))
    return Verdict(kind, verb, reasons, _names(nodes))


def _special(node: Any, name: str) -> tuple[Class, str]:
    if name == "CopyStmt" and node.is_program:
        return "admin", "starts a program on the server"
    if name == "CopyStmt" and node.is_from:
        return "write", "adds rows"
    return _KNOWN[name]


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


def _names(nodes: Iterable[Message]) -> Names:
    """Return the names to ask the server about, a CTE's included: it may hide a table."""
    functions: set[Call] = set()
    relations: set[Name] = set()
    types: set[Name] = set()
    operators: set[str] = set()
    fields: set[str] = set()
    for node in nodes:
        any_node: Any = node
        match type(node).__name__:
            case "FuncCall":
                plain = not (any_node.func_variadic or any_node.agg_within_group)
                functions.add((*_qualified(any_node.funcname), len(any_node.args) if plain else ANY_NUMBER))
            case "RangeVar":
                relations.add((any_node.schemaname, any_node.relname))
            case "TypeName" if any_node.names:
                types.add(_qualified(any_node.names))
            case "A_Expr" if any_node.name:
                operators.add(_last(any_node.name))
            case "SubLink" if any_node.oper_name:
                operators.add(_last(any_node.oper_name))
            case "SortBy" if any_node.use_op:
                operators.add(_last(any_node.use_op))
            case "ColumnRef" if len(any_node.fields) > 1:
                fields.add(_last(any_node.fields))
            case "A_Indirection":
                fields.add(_last(any_node.indirection))
    return Names(
        frozenset(functions),
        frozenset(relations),
        frozenset(types),
        frozenset(operators),
        frozenset(fields - {""}),
    )


def _nodes(tree: Message) -> list[Message]:
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


def _parts(names: Any) -> list[str]:
    from postgast import unwrap_node

    return [str(getattr(unwrap_node(part), "sval", "")) for part in names]


def _qualified(names: Any) -> Name:
    parts = _parts(names)
    return (parts[-2] if len(parts) > 1 else "", parts[-1] if parts else "")


def _last(names: Any) -> str:
    parts = _parts(names)
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
