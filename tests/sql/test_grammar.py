"""The guard's tables against the grammar itself: a node or field that is in none of them is unknown."""

from __future__ import annotations

import pytest
from postgast import pg_query_pb2

from isla_console.sql import grammar
from isla_console.sql.classify import classify

MESSAGES = {
    name: message
    for name, message in pg_query_pb2.DESCRIPTOR.message_types_by_name.items()
    if name not in {"Node", "ScanResult", "ScanToken", "SummaryResult"}
}
TABLES = {
    "read": set(grammar.READ),
    "planned": set(grammar.PLANNED),
    "statements": set(grammar.STATEMENTS),
    "admin": set(grammar.ADMIN),
    "parts": set(grammar.PARTS),
    "analysed": set(grammar.ANALYSED),
}


def test_every_node_of_the_grammar_is_in_a_table() -> None:
    known = set().union(*TABLES.values())
    assert set(MESSAGES) - known == set()
    assert known - set(MESSAGES) == set()


def test_a_node_that_a_read_may_have_is_in_no_other_table() -> None:
    for name, table in TABLES.items():
        if name != "read":
            assert not table & TABLES["read"], name


@pytest.mark.parametrize("name", sorted({**grammar.READ, **grammar.PLANNED}))
def test_the_fields_are_the_grammars(name: str) -> None:
    fields = {field.name for field in MESSAGES[name].fields}
    assert {**grammar.READ, **grammar.PLANNED}[name] <= fields


def test_a_field_that_no_read_has_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(grammar.READ, "SelectStmt", grammar.READ["SelectStmt"] - {"limit_count"})
    assert classify("SELECT 1").kind == "read"
    verdict = classify("SELECT 1 LIMIT 2")
    assert (verdict.kind, verdict.reasons) == ("unknown", ("the guard does not know SelectStmt.limit_count",))


def test_a_node_that_is_missing_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(grammar.READ, "JoinExpr")
    assert classify("SELECT * FROM a JOIN b ON true").kind == "unknown"
