"""Reading the server's trees: all that is reached is found, and what is not known is not passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.sql.tree import MAX_DEPTH, Reached, Unreadable, reached

CONST = "{CONST :consttype 23 :consttypmod -1 :constcollid 0 :constlen 4 :constbyval true :constisnull false :location 8 :constvalue 4 [ 24 16 0 0 0 0 0 0 ]}"  # fmt: skip # noqa: E501
CALL = "{FUNCEXPR :funcid 2096 :funcresulttype 16 :funcretset false :funcvariadic false :funcformat 0 :funccollid 0 :inputcollid 0 :args (%s) :location 8}"  # fmt: skip # noqa: E501


def target(expression: str, name: str = "x") -> str:
    return f"{{TARGETENTRY :expr {expression} :resno 1 :resname {name} :resjunk false}}"


def test_a_call_its_types_and_constants() -> None:
    found = reached("(" + target(CALL % CONST) + ")")
    assert found == Reached(function={2096}, type={16, 23})


def test_lists_of_numbers_have_the_meaning_of_their_field() -> None:
    found = reached("{ROWCOMPAREEXPR :rctype 1 :opnos (o 97 98) :opfamilies (o 1976) :largs <>}")
    assert (found.operator, found.family) == ({97, 98}, {1976})
    assert reached("{AGGREF :aggfnoid 2803 :aggargtypes (o 23 25)}").type == {23, 25}
    assert reached("{VAR :varno 1 :vartype 23 :varnullingrels (b 3 4) :location 3}").type == {23}


@pytest.mark.parametrize(
    ("tree", "act"),
    [
        ("{QUERY :commandType 2 :resultRelation 1}", "changes rows"),
        ("{QUERY :commandType 1 :hasModifyingCTE true}", "changes rows"),
        (
            "{QUERY :rowMarks ({ROWMARKCLAUSE :rti 1 :strength 4 :waitPolicy 0 :pushedDown false})}",
            "locks rows",
        ),
    ],
)
def test_what_it_does_besides_reading(tree: str, act: str) -> None:
    assert reached(tree).acts == {act}
    assert reached(tree, planned=True).acts == set()


@pytest.mark.parametrize(
    "tree",
    [
        "{NEWEXPR :funcid 2096}",
        "{FUNCEXPR :newid 2096}",
        "{FUNCEXPR :funcid x}",
        "{FUNCEXPR :funcid}",
        "{FUNCEXPR funcid 2096}",
        "{FUNCEXPR :funcid 2096",
        "{FUNCEXPR :funcid 2096)",
        "({FUNCEXPR :funcid 2096}",
        "{FUNCEXPR :funcid 2096}}",
        "{QUERY :utilityStmt ?}",
        "{QUERY {FUNCEXPR :funcid 2096}}",
        "{CONST :consttype 23 :constvalue 4 24 16}",
        "{CONST :consttype 23 :constvalue 4 [ 24 16}",
        "{SETTODEFAULT :typeId 23}",
        "(" * (MAX_DEPTH + 2),
        "\\",
    ],
)
def test_what_is_not_known_is_not_passed_over(tree: str) -> None:
    with pytest.raises(Unreadable):
        reached(tree)


# As PostgreSQL writes names: what has a meaning in a tree is escaped.
NAMES = st.text(min_size=1, max_size=63).map(
    lambda text: "".join(f"\\{char}" if char in " \n\t(){}\\" else char for char in text.replace("\0", ""))
)


@given(name=NAMES.filter(bool))
def test_no_name_hides_what_follows_it(name: str) -> None:
    if name == "<>" or name.isspace():
        return
    try:
        found = reached("(" + target(CALL % CONST, name) + target(CALL % "") + ")")
    except Unreadable:
        return
    assert found == Reached(function={2096}, type={16, 23})


@given(junk=st.text(alphabet='{}()[]:<>\\ "abFUNCEXPR:funcid0123456789\n', max_size=60))
def test_junk_is_refused_or_hides_nothing(junk: str) -> None:
    """A call before and after it is found, whatever stands between them."""
    try:
        found = reached(f"({CALL % ''} {junk} {(CALL % '').replace('2096', '2097')})")
    except Unreadable:
        return
    assert {2096, 2097} <= found.function
