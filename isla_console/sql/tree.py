"""What a statement reaches: read out of the server's own analysed and rewritten tree.

PostgreSQL writes a tree as `{FUNCEXPR :funcid 2096 :args (...)}`, in the log (`debug_print_rewritten`) and in
its catalogue (pg_node_tree). Whatever a statement reaches stands there as a number, however it was written:
by name, in attribute notation, by a cast, an operator, a view, a policy.

It fails closed: every node and every field of it is in the table below, with what its number means. A node or
field that is not there, or a tree that is put together in another way, is `Unreadable`. The table is that of
PostgreSQL 15 to 18 (primnodes.h, parsenodes.h).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

MAX_TREE: Final = 16 * 1024 * 1024
"""The longest tree that is read, in characters."""
MAX_DEPTH: Final = 4000
"""How deep nodes and lists may lie inside each other."""

Meaning = Literal["plain", "function", "operator", "family", "type", "relation"]

_TABLE: Final = """
QUERY commandType querySource canSetTag utilityStmt resultRelation hasAggs hasWindowFuncs hasTargetSRFs
  hasSubLinks hasDistinctOn hasRecursive hasModifyingCTE hasForUpdate hasRowSecurity hasGroupRTE isReturn
  cteList rtable rteperminfos jointree mergeActionList mergeTargetRelation mergeJoinCondition
  mergeUseOuterJoin targetList override onConflict returningOldAlias returningNewAlias returningList
  groupClause groupDistinct groupingSets havingQual windowClause distinctClause sortClause limitOffset
  limitCount limitOption rowMarks setOperations constraintDeps withCheckOptions stmt_location stmt_len
RANGETBLENTRY alias eref rtekind relid:R inh relkind rellockmode perminfoindex tablesample subquery
  security_barrier jointype joinmergedcols joinaliasvars joinleftcols joinrightcols join_using_alias
  functions funcordinality tablefunc values_lists ctename ctelevelsup self_reference coltypes:T coltypmods
  colcollations enrname enrtuples groupexprs lateral inFromCl requiredPerms checkAsUser selectedCols
  insertedCols updatedCols extraUpdatedCols securityQuals
RTEPERMISSIONINFO relid:R inh requiredPerms checkAsUser selectedCols insertedCols updatedCols
RANGETBLFUNCTION funcexpr funccolcount funccolnames funccoltypes:T funccoltypmods funccolcollations
  funcparams
TABLESAMPLECLAUSE tsmhandler:F args repeatable
SORTGROUPCLAUSE tleSortGroupRef eqop:O sortop:O reverse_sort nulls_first hashable
GROUPINGSET kind content location
WINDOWCLAUSE name refname partitionClause orderClause frameOptions startOffset endOffset startInRangeFunc:F
  endInRangeFunc:F inRangeColl inRangeAsc inRangeNullsFirst winref copiedOrder runCondition
ROWMARKCLAUSE rti strength waitPolicy pushedDown
CTESEARCHCLAUSE search_col_list search_breadth_first search_seq_column location
CTECYCLECLAUSE cycle_col_list cycle_mark_column cycle_mark_value cycle_mark_default cycle_path_column
  location cycle_mark_type:T cycle_mark_typmod cycle_mark_collation cycle_mark_neop:O
COMMONTABLEEXPR ctename aliascolnames ctematerialized ctequery search_clause cycle_clause location
  cterecursive cterefcount ctecolnames ctecoltypes:T ctecoltypmods ctecolcollations
SETOPERATIONSTMT op all larg rarg colTypes:T colTypmods colCollations groupClauses
ALIAS aliasname colnames
RANGETBLREF rtindex
JOINEXPR jointype isNatural larg rarg usingClause join_using_alias quals alias rtindex
FROMEXPR fromlist quals
TARGETENTRY expr resno resname ressortgroupref resorigtbl resorigcol resjunk
TABLEFUNC functype ns_uris ns_names docexpr rowexpr colnames coltypes:T coltypmods colcollations colexprs
  coldefexprs colvalexprs passingvalexprs notnulls plan ordinalitycol location
VAR varno varattno vartype:T vartypmod varcollid varnullingrels varlevelsup varreturningtype varnosyn
  varattnosyn location
CONST consttype:T consttypmod constcollid constlen constbyval constisnull location constvalue
PARAM paramkind paramid paramtype:T paramtypmod paramcollid location
AGGREF aggfnoid:F aggtype:T aggcollid inputcollid aggtranstype:T aggargtypes:T aggdirectargs args aggorder
  aggdistinct aggfilter aggstar aggvariadic aggkind aggpresorted agglevelsup aggsplit aggno aggtransno
  location
GROUPINGFUNC args refs cols agglevelsup location
WINDOWFUNC winfnoid:F wintype:T wincollid inputcollid args aggfilter runCondition winref winstar winagg
  location
SUBSCRIPTINGREF refcontainertype:T refelemtype:T refrestype:T reftypmod refcollid refupperindexpr
  reflowerindexpr refexpr refassgnexpr
FUNCEXPR funcid:F funcresulttype:T funcretset funcvariadic funcformat funccollid inputcollid args location
NAMEDARGEXPR arg name argnumber location
OPEXPR opno:O opfuncid:F opresulttype:T opretset opcollid inputcollid args location
DISTINCTEXPR opno:O opfuncid:F opresulttype:T opretset opcollid inputcollid args location
NULLIFEXPR opno:O opfuncid:F opresulttype:T opretset opcollid inputcollid args location
SCALARARRAYOPEXPR opno:O opfuncid:F hashfuncid:F negfuncid:F useOr inputcollid args location
BOOLEXPR boolop args location
SUBLINK subLinkType subLinkId testexpr operName subselect location
FIELDSELECT arg fieldnum resulttype:T resulttypmod resultcollid
RELABELTYPE arg resulttype:T resulttypmod resultcollid relabelformat location
COERCEVIAIO arg resulttype:T resultcollid coerceformat location
ARRAYCOERCEEXPR arg elemexpr resulttype:T resulttypmod resultcollid coerceformat location
CONVERTROWTYPEEXPR arg resulttype:T convertformat location
COLLATE arg collOid location
COLLATEEXPR arg collOid location
CASE casetype:T casecollid arg args defresult location
CASEEXPR casetype:T casecollid arg args defresult location
WHEN expr result location
CASEWHEN expr result location
CASETESTEXPR typeId:T typeMod collation
ARRAY array_typeid:T array_collid element_typeid:T elements multidims location
ARRAYEXPR array_typeid:T array_collid element_typeid:T elements multidims list_start list_end location
ROW args row_typeid:T row_format colnames location
ROWEXPR args row_typeid:T row_format colnames location
ROWCOMPARE rctype opnos:O opfamilies:A inputcollids largs rargs
ROWCOMPAREEXPR rctype cmptype opnos:O opfamilies:A inputcollids largs rargs
COALESCE coalescetype:T coalescecollid args location
COALESCEEXPR coalescetype:T coalescecollid args location
MINMAX minmaxtype:T minmaxcollid inputcollid op args location
MINMAXEXPR minmaxtype:T minmaxcollid inputcollid op args location
SQLVALUEFUNCTION op type:T typmod location
XMLEXPR op name named_args arg_names args xmloption indent type:T typmod location
JSONFORMAT format_type encoding location
JSONRETURNING format typid:T typmod
JSONVALUEEXPR raw_expr formatted_expr format
JSONCONSTRUCTOREXPR type args func coercion returning absent_on_null unique location
JSONISPREDICATE expr format item_type unique_keys location
JSONBEHAVIOR btype expr coerce location
JSONEXPR op column_name formatted_expr format path_spec returning passing_names passing_values on_empty
  on_error use_io_coercion use_json_coercion wrapper omit_quotes collation location
JSONTABLEPATH value name
JSONTABLEPATHSCAN path errorOnError child colMin colMax
JSONTABLESIBLINGJOIN lplan rplan
NULLTEST arg nulltesttype argisrow location
BOOLEANTEST arg booltesttype location
COERCETODOMAIN arg resulttype:T resulttypmod resultcollid coercionformat location
COERCETODOMAINVALUE typeId:T typeMod collation location
DEFELEM defnamespace defname arg defaction location
"""

_PLANNED: Final = """
ONCONFLICTEXPR action arbiterElems arbiterWhere constraint onConflictSet onConflictWhere exclRelIndex
  exclRelTlist
INFERENCEELEM expr infercollid inferopclass
INFERENCE expr infercollid inferopclass
MERGEACTION matchKind matched commandType override qual targetList updateColnos
MERGESUPPORTFUNC msftype:T msfcollid location
RETURNINGEXPR retlevelsup retold retexpr
SETTODEFAULT typeId:T typeMod collation location
NEXTVALUEEXPR seqid typeId:T
WITHCHECKOPTION kind relname polname qual cascaded
FIELDSTORE arg newvals fieldnums resulttype:T
CREATETABLEASSTMT query into objtype is_select_into if_not_exists
INTOCLAUSE rel colNames accessMethod options onCommit tableSpaceName viewQuery skipData
RANGEVAR catalogname schemaname relname inh relpersistence alias location
DECLARECURSORSTMT portalname options query
"""
"""Nodes of what EXPLAIN without ANALYZE only plans."""

_KINDS: Final[dict[str, Meaning]] = {
    "F": "function",
    "O": "operator",
    "A": "family",
    "T": "type",
    "R": "relation",
}


def _read_table(text: str) -> dict[str, dict[str, Meaning]]:
    found: dict[str, dict[str, Meaning]] = {}
    fields: dict[str, Meaning] = {}
    for line in text.strip().splitlines():
        words = line.split()
        if not line.startswith(" "):
            fields = found[words.pop(0)] = {}
        for word in words:
            name, _, kind = word.partition(":")
            fields[name] = _KINDS[kind] if kind else "plain"
    return found


NODES: Final = _read_table(_TABLE)
"""Every node that a read may consist of, with its fields and what the numbers in them are."""
PLANNED: Final = _read_table(_PLANNED)

_TOKEN: Final = re.compile(
    # A constant holds nothing but numbers: it is one token, of which the type counts.
    r"\{CONST\s:consttype\s(?P<consttype>\d+)(?:\s:\w+\s(?:<>|\d+\s\[[\s\d-]*\]|-?\w+))*\s?\}"
    r"|(?P<mark>[(){}])"
    r"|(?P<word>(?:\\.|[^\s(){}\\])+)",
    # The server escapes ASCII's spaces alone: any other one is a part of a name.
    re.DOTALL | re.ASCII,
)
_GAP: Final = re.compile(r"\s*", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+")
_LISTS: Final = frozenset("biox")


class Unreadable(Exception):
    """The tree is not one that is known; the exception's text is a sentence that says why."""


@dataclass(slots=True)
class Reached:
    """What a tree reaches, as numbers of the catalogue, and what it does by itself."""

    function: set[int] = field(default_factory=set)
    operator: set[int] = field(default_factory=set)
    family: set[int] = field(default_factory=set)
    type: set[int] = field(default_factory=set)
    relation: set[int] = field(default_factory=set)
    acts: set[str] = field(default_factory=set)
    """What it does besides reading: `changes rows`, `locks rows`."""

    def __ior__(self, other: Reached) -> Reached:
        self.function |= other.function
        self.operator |= other.operator
        self.family |= other.family
        self.type |= other.type
        self.relation |= other.relation
        self.acts |= other.acts
        return self

    def __sub__(self, other: Reached) -> Reached:
        return Reached(
            self.function - other.function,
            self.operator - other.operator,
            self.family - other.family,
            self.type - other.type,
            self.relation - other.relation,
        )

    def __len__(self) -> int:
        return sum(map(len, (self.function, self.operator, self.family, self.type, self.relation)))


def reached(tree: str, *, planned: bool = False) -> Reached:
    """Return what a tree reaches.

    Args:
        tree: A list of analysed queries, or an expression, as the server writes it.
        planned: Whether it is only planned, not run: then changes of rows are no acts.

    Raises:
        Unreadable: A part of it is not known, or it is too long or too deep.
    """
    if len(tree) > MAX_TREE:
        raise Unreadable(f"its tree is longer than {MAX_TREE // 1024**2} MiB")
    return _Reader(tree, planned).read()


@dataclass(slots=True)
class _Open:
    """A node or list that has begun. A list has no label and no fields."""

    label: str = ""
    fields: dict[str, Meaning] = field(default_factory=dict)
    name: str = ""
    """The field whose value comes next; of a list, the field that it is the value of."""
    meaning: Meaning = "plain"


class _Reader:
    def __init__(self, tree: str, planned: bool) -> None:
        self._tree = tree
        self._planned = planned
        self._nodes = NODES | PLANNED if planned else NODES
        self._found = Reached()

    def read(self) -> Reached:
        """Go through the tree from its beginning to its end, and leave nothing out."""
        found, stack, tokens = self._found, [_Open()], self._tokens()
        for kind, text in tokens:
            here = stack[-1]
            if kind == "const":
                found.type.add(int(text))
                here.name = "" if here.label else here.name
            elif text == "{" and kind == "mark":
                stack.append(self._begin(here, tokens))
            elif text == "(" and kind == "mark":
                stack.append(_Open(name=here.name, meaning=here.meaning))
                if len(stack) > MAX_DEPTH:
                    raise Unreadable("its tree is too deep")
            elif kind == "mark":
                if len(stack) == 1 or (text == "}") != bool(here.label) or (here.label and here.name):
                    raise Unreadable("its tree does not fit together")
                stack.pop()
                if stack[-1].label:
                    stack[-1].name = ""
            elif here.label and not here.name:
                self._field(here, text)
            else:
                self._value(here, text, tokens)
        if len(stack) != 1:
            raise Unreadable("its tree has no end")
        return found

    def _tokens(self) -> Iterator[tuple[str, str]]:
        tree, at = self._tree, 0
        while True:
            gap = _GAP.match(tree, at)
            at = gap.end() if gap else at
            if at == len(tree):
                return
            match = _TOKEN.match(tree, at)
            if match is None:
                raise Unreadable("its tree cannot be read")
            at = match.end()
            if (const := match["consttype"]) is not None:
                yield "const", const
            elif (mark := match["mark"]) is not None:
                yield "mark", mark
            else:
                yield "word", match["word"]

    def _begin(self, here: _Open, tokens: Iterator[tuple[str, str]]) -> _Open:
        if here.label and not here.name:
            raise Unreadable("its tree does not fit together")
        kind, label = next(tokens, ("", ""))
        if kind != "word" or label not in self._nodes:
            raise Unreadable(f"it has a part that the guard does not know: {label[:40] or kind}")
        return _Open(label, self._nodes[label])

    def _field(self, here: _Open, text: str) -> None:
        name = text[1:]
        meaning = here.fields.get(name) if text[:1] == ":" else None
        if meaning is None:
            raise Unreadable(f"it has a part that the guard does not know: {here.label} {text[:40]}")
        here.name, here.meaning = name, meaning

    def _value(self, here: _Open, text: str, tokens: Iterator[tuple[str, str]]) -> None:
        """Take in one word: a field's value, or one of a list."""
        if here.name == "constvalue" and text != "<>":
            if next(tokens, ("", ""))[1] != "[" or not any(word == "]" for _, word in tokens):
                raise Unreadable("its tree does not fit together")
        elif here.meaning != "plain" and text != "<>" and not (not here.label and text in _LISTS):
            if not _NUMBER.fullmatch(text):
                raise Unreadable(f"its tree has {text[:20]} where a number belongs")
            if number := int(text):
                getattr(self._found, here.meaning).add(number)
        elif here.label in _ACTING:
            self._act(here.name, text)
        if here.label:
            here.name = ""

    def _act(self, name: str, text: str) -> None:
        if name == "utilityStmt" and text != "<>":  # PostgreSQL 15 writes a question mark for most of them
            raise Unreadable("the server does not show what it does")
        if self._planned:
            return
        if (
            (name == "commandType" and text not in {"1", "6"})
            or (name == "resultRelation" and text != "0")
            or (name == "hasModifyingCTE" and text != "false")
        ):
            self._found.acts.add("changes rows")
        elif name == "strength":
            self._found.acts.add("locks rows")


_ACTING: Final = frozenset({"QUERY", "ROWMARKCLAUSE", "MERGEACTION"})
