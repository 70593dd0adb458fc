"""Every kind of node of PostgreSQL's grammar, and what it means to the guard.

A read consists only of the nodes and fields in `READ`; EXPLAIN without ANALYZE also of those in `PLANNED`,
which it does not run. Every other node is of a statement that does something: `STATEMENTS` and `ADMIN` name
it. Parts of such statements, and nodes that only the server's analysis makes, are in no read. What is in none
of these tables is unknown; a test holds them against the grammar itself.
"""

from __future__ import annotations

from typing import Final

from isla_console.sql.verdict import Class


def _read_table(text: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    fields: set[str] = set()
    for line in text.strip().splitlines():
        words = line.split()
        if not line.startswith(" "):
            fields = found[words.pop(0)] = set()
        fields.update(words)
    return {name: frozenset(one) for name, one in found.items()}


READ: Final = _read_table("""
ParseResult version stmts
RawStmt stmt stmt_location stmt_len
SelectStmt distinct_clause into_clause target_list from_clause where_clause group_clause group_distinct
  having_clause window_clause values_lists sort_clause limit_offset limit_count limit_option
  locking_clause with_clause op all larg rarg
ResTarget name indirection val location
ColumnRef fields location
A_Star
String sval
Integer ival
Float fval
Boolean boolval
BitString bsval
List items
A_Const ival fval boolval sval bsval isnull location
A_Expr kind name lexpr rexpr rexpr_list_start rexpr_list_end location
A_Indirection arg indirection
A_Indices is_slice lidx uidx
A_ArrayExpr elements list_start list_end location
BoolExpr boolop args location
NullTest arg nulltesttype argisrow location
BooleanTest arg booltesttype location
SubLink sub_link_type testexpr oper_name subselect location
FuncCall funcname args agg_order agg_filter over agg_within_group agg_star agg_distinct func_variadic
  funcformat location
NamedArgExpr arg name argnumber location
TypeCast arg type_name location
TypeName names setof pct_type typmods typemod array_bounds location
CollateClause arg collname location
CaseExpr arg args defresult location
CaseWhen expr result location
CoalesceExpr args location
MinMaxExpr op args location
SQLValueFunction op type typmod location
XmlExpr op name named_args arg_names args xmloption indent type typmod location
XmlSerialize xmloption expr type_name indent location
RowExpr args row_format colnames location
ParamRef number location
SortBy node sortby_dir sortby_nulls use_op location
WindowDef name refname partition_clause order_clause frame_options start_offset end_offset location
RangeVar catalogname schemaname relname inh relpersistence alias location
RangeSubselect lateral subquery alias
RangeFunction lateral ordinality is_rowsfrom functions alias coldeflist
RangeTableFunc lateral docexpr rowexpr namespaces columns alias location
RangeTableFuncCol colname type_name for_ordinality is_not_null colexpr coldefexpr location
RangeTableSample relation method args repeatable location
JoinExpr jointype is_natural larg rarg using_clause join_using_alias quals alias rtindex
Alias aliasname colnames
WithClause ctes recursive location
CommonTableExpr ctename aliascolnames ctematerialized ctequery search_clause cycle_clause location
  cterecursive cterefcount
CTESearchClause search_col_list search_breadth_first search_seq_column location
CTECycleClause cycle_col_list cycle_mark_column cycle_mark_value cycle_mark_default cycle_path_column
  location
GroupingSet kind content location
GroupingFunc args location
ColumnDef colname type_name is_local is_not_null is_from_type coll_clause location
JsonFormat format_type encoding location
JsonReturning format typid typmod
JsonValueExpr raw_expr formatted_expr format
JsonOutput type_name returning
JsonArgument val name
JsonFuncExpr op column_name context_item pathspec passing output on_empty on_error wrapper quotes location
JsonBehavior btype expr coerce location
JsonTable context_item pathspec passing columns on_error alias lateral location
JsonTableColumn coltype name type_name pathspec format wrapper quotes columns on_empty on_error location
JsonTablePathSpec string name name_location location
JsonKeyValue key value
JsonParseExpr expr output unique_keys location
JsonScalarExpr expr output location
JsonSerializeExpr expr output location
JsonObjectConstructor exprs output absent_on_null unique location
JsonArrayConstructor exprs output absent_on_null location
JsonArrayQueryConstructor query output format absent_on_null location
JsonAggConstructor output agg_filter agg_order over location
JsonObjectAgg constructor arg absent_on_null unique
JsonArrayAgg constructor arg absent_on_null
JsonIsPredicate expr format item_type unique_keys location
VariableShowStmt name
ExplainStmt query options
DefElem defnamespace defname arg defaction location
""")
"""The nodes of a read, with the fields that a read may use: the rest of them only the analysis sets."""
PLANNED: Final = _read_table("""
InsertStmt relation cols select_stmt on_conflict_clause returning_clause with_clause override
UpdateStmt relation target_list where_clause from_clause returning_clause with_clause
DeleteStmt relation using_clause where_clause returning_clause with_clause
MergeStmt relation source_relation join_condition merge_when_clauses returning_clause with_clause
LockingClause locked_rels strength wait_policy
OnConflictClause action infer target_list where_clause location
InferClause index_elems where_clause conname location
IndexElem name expr indexcolname collation opclass opclassopts ordering nulls_ordering
MergeWhenClause match_kind command_type override condition target_list values
ReturningClause options exprs
ReturningOption option value location
MultiAssignRef source colno ncolumns
SetToDefault type_id type_mod collation location
IntoClause rel col_names access_method options on_commit table_space_name view_query skip_data
CreateTableAsStmt query into objtype is_select_into if_not_exists
DeclareCursorStmt portalname options query
""")
"""The nodes that EXPLAIN without ANALYZE only plans."""

STATEMENTS: Final[dict[str, tuple[Class, str]]] = {
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
"""Statements, and clauses, that do something by themselves."""

ADMIN: Final = frozenset(
    [
        "CreateSchemaStmt",
        "AlterTableStmt",
        "ReplicaIdentityStmt",
        "AlterCollationStmt",
        "AlterDomainStmt",
        "GrantStmt",
        "GrantRoleStmt",
        "AlterDefaultPrivilegesStmt",
        "CreateStmt",
        "CreateTableSpaceStmt",
        "DropTableSpaceStmt",
        "AlterTableSpaceOptionsStmt",
        "AlterTableMoveAllStmt",
        "CreateExtensionStmt",
        "AlterExtensionStmt",
        "AlterExtensionContentsStmt",
        "CreateFdwStmt",
        "AlterFdwStmt",
        "CreateForeignServerStmt",
        "AlterForeignServerStmt",
        "CreateForeignTableStmt",
        "CreateUserMappingStmt",
        "AlterUserMappingStmt",
        "DropUserMappingStmt",
        "ImportForeignSchemaStmt",
        "CreatePolicyStmt",
        "AlterPolicyStmt",
        "CreateAmStmt",
        "CreateTrigStmt",
        "CreateEventTrigStmt",
        "AlterEventTrigStmt",
        "CreatePLangStmt",
        "CreateRoleStmt",
        "AlterRoleStmt",
        "AlterRoleSetStmt",
        "DropRoleStmt",
        "CreateSeqStmt",
        "AlterSeqStmt",
        "DefineStmt",
        "CreateDomainStmt",
        "CreateOpClassStmt",
        "CreateOpFamilyStmt",
        "AlterOpFamilyStmt",
        "DropStmt",
        "CommentStmt",
        "SecLabelStmt",
        "IndexStmt",
        "CreateStatsStmt",
        "AlterStatsStmt",
        "CreateFunctionStmt",
        "AlterFunctionStmt",
        "RenameStmt",
        "AlterObjectDependsStmt",
        "AlterObjectSchemaStmt",
        "AlterOwnerStmt",
        "AlterOperatorStmt",
        "AlterTypeStmt",
        "RuleStmt",
        "CompositeTypeStmt",
        "CreateEnumStmt",
        "CreateRangeStmt",
        "AlterEnumStmt",
        "ViewStmt",
        "CreatedbStmt",
        "AlterDatabaseStmt",
        "AlterDatabaseRefreshCollStmt",
        "AlterDatabaseSetStmt",
        "DropdbStmt",
        "AlterSystemStmt",
        "CreateTableAsStmt",
        "CreateConversionStmt",
        "CreateCastStmt",
        "CreateTransformStmt",
        "DropOwnedStmt",
        "ReassignOwnedStmt",
        "AlterTSDictionaryStmt",
        "AlterTSConfigurationStmt",
        "CreatePublicationStmt",
        "AlterPublicationStmt",
        "CreateSubscriptionStmt",
        "AlterSubscriptionStmt",
        "DropSubscriptionStmt",
    ]
)
"""Statements that change definitions, rights or the server."""
PARTS: Final = frozenset(
    [
        "OidList",
        "IntList",
        "RoleSpec",
        "TableLikeClause",
        "PartitionElem",
        "PartitionSpec",
        "PartitionBoundSpec",
        "PartitionRangeDatum",
        "PartitionCmd",
        "TriggerTransition",
        "ReturnStmt",
        "PLAssignStmt",
        "AlterTableCmd",
        "ATAlterConstraint",
        "ObjectWithArgs",
        "AccessPriv",
        "Constraint",
        "CreateOpClassItem",
        "StatsElem",
        "FunctionParameter",
        "VacuumRelation",
        "PublicationTable",
        "PublicationObjSpec",
    ]
)
"""Parts of such statements alone."""
ANALYSED: Final = frozenset(
    [
        "TableFunc",
        "Var",
        "Param",
        "Aggref",
        "WindowFunc",
        "WindowFuncRunCondition",
        "MergeSupportFunc",
        "SubscriptingRef",
        "FuncExpr",
        "OpExpr",
        "DistinctExpr",
        "NullIfExpr",
        "ScalarArrayOpExpr",
        "SubPlan",
        "AlternativeSubPlan",
        "FieldSelect",
        "FieldStore",
        "RelabelType",
        "CoerceViaIO",
        "ArrayCoerceExpr",
        "ConvertRowtypeExpr",
        "CollateExpr",
        "CaseTestExpr",
        "ArrayExpr",
        "RowCompareExpr",
        "JsonConstructorExpr",
        "JsonExpr",
        "JsonTablePath",
        "JsonTablePathScan",
        "JsonTableSiblingJoin",
        "MergeAction",
        "CoerceToDomain",
        "CoerceToDomainValue",
        "CurrentOfExpr",
        "NextValueExpr",
        "InferenceElem",
        "ReturningExpr",
        "TargetEntry",
        "RangeTblRef",
        "FromExpr",
        "OnConflictExpr",
        "Query",
        "RangeTblEntry",
        "RTEPermissionInfo",
        "RangeTblFunction",
        "TableSampleClause",
        "WithCheckOption",
        "SortGroupClause",
        "WindowClause",
        "RowMarkClause",
        "SetOperationStmt",
        "InlineCodeBlock",
        "CallContext",
    ]
)
"""What only the server's analysis makes: the grammar never does."""
