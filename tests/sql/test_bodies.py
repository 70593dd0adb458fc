"""Bodies of functions in SQL, and what an EXPLAIN is of: found by its text, whatever stands around it."""

from __future__ import annotations

import pytest

from isla_console.sql.bodies import Source, explained, statements


@pytest.mark.parametrize(
    ("sql", "rest"),
    [
        ("EXPLAIN SELECT 1", "SELECT 1"),
        ("EXPLAIN (ANALYZE, VERBOSE, FORMAT json) SELECT 1", "SELECT 1"),
        ("EXPLAIN ANALYZE VERBOSE SELECT 1 -- so", "SELECT 1 -- so"),
        ("explain (verbose true) with a as (select 1) table a", "with a as (select 1) table a"),
        ("EXPLAIN UPDATE t SET a = 'é' WHERE b = $1", "UPDATE t SET a = 'é' WHERE b = $1"),
        ("EXPLAIN CREATE TABLE u AS SELECT 1", "CREATE TABLE u AS SELECT 1"),
    ],
)
def test_what_is_explained_as_it_stands(sql: str, rest: str) -> None:
    assert explained(sql) == rest


def test_a_statement_behind_too_many_options_is_not_clear() -> None:
    """Each token is tried as the statement's begin: a bound, or a long text costs its square."""
    options = ", ".join(["VERBOSE true"] * 60)
    with pytest.raises(ValueError, match="cannot be told"):
        explained(f"EXPLAIN ({options}) SELECT 1")


@pytest.mark.parametrize("name", ["a", "a b", "a\x01b", 'a"b', "é", ""])
def test_arguments_keep_their_numbers_whatever_they_are_called(name: str) -> None:
    [found] = statements(Source("f", (name, "second"), "SELECT second, $1").pack())
    assert [(one.number, one.is_sure) for one in found.references] == [(2, False), (1, True)]
    text, _ = found.filled(("pg_catalog.int4", "pg_catalog.text"), frozenset({0}))
    assert text == "SELECT (CAST(NULL AS pg_catalog.text)), (CAST(NULL AS pg_catalog.int4))"
