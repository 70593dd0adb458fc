"""Placeholders are what PostgreSQL's scanner takes for one, and nothing that only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.sql.statements import last_placeholder


@pytest.mark.parametrize(
    ("sql", "last"),
    [
        ("SELECT 1", 0),
        ("SELECT $1", 1),
        ("SELECT $2 + $1", 2),
        ("SELECT '$1,000.50'::money", 0),
        ("SELECT E'\\'$1'", 0),
        ('SELECT "$1" FROM t', 0),
        ("SELECT $$ costs $1 $$", 0),
        ("SELECT $tag$ $9 $tag$, $3", 3),
        ("SELECT 1 -- $4\n + $1", 1),
        ("SELECT /* $5 /* $6 */ $7 */ $2", 2),
        ("SELECT 'ä€', $3", 3),
        ("SELECT 'not ended $1", 0),
        ("SELECT \udcff $1", 1),
        ("SELECT $12", 12),
    ],
)
def test_last_placeholder(sql: str, last: int) -> None:
    assert last_placeholder(sql) == last


@given(st.text())
def test_any_text_in_a_string_is_none(text: str) -> None:
    quoted = "'" + text.replace("'", "''").replace("\0", "") + "'"
    assert last_placeholder(f"SELECT {quoted}") == 0


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert last_placeholder(text) >= 0
