"""What can be read from a shell script without running it."""

import pytest

from isla_console.runbook.shell import evaluates, is_bare, names, tools


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('curl -I "$APP_URL"', ("curl",)),
        (
            "umask 077\npg_dump -Fc --file=a &&\npg_restore --list a > /dev/null && mv -- a b",
            ("pg_dump", "pg_restore", "mv"),
        ),
        ("PGOPTIONS=x psql -c 'SELECT 1; SELECT 2' | sort", ("psql", "sort")),
        ("for f in a b; do cat $f; done", ("cat",)),
        ("a \\\n  --b; if grep -q x y; then echo z; fi", ("a", "grep")),
        ('"$TOOL" x', ()),
        ("", ()),
    ],
)
def test_tools(script: str, found: tuple[str, ...]) -> None:
    assert tools(script) == found


def test_names() -> None:
    script = 'curl "$URL/${PATH_PART:-x}" | grep $WORD; echo "$URL" $$ $1'
    assert names(script) == ("URL", "PATH_PART", "WORD")


@pytest.mark.parametrize(
    ("script", "bare"),
    [
        ('x "$NAME"', False),
        ("x $NAME", True),
        ("x ${NAME}", True),
        ("x '$NAME'", False),
        ("x \\$NAME", False),
        ('x "a"$NAME', True),
        ('x "it\'s $NAME"', False),
        ("x $NAMES", False),
    ],
)
def test_is_bare(script: str, bare: bool) -> None:
    assert is_bare(script, "NAME") is bare


@pytest.mark.parametrize(
    ("script", "again"),
    [
        ('eval "$NAME"', True),
        ('bash -c "echo $NAME"', True),
        ("ls | xargs rm", True),
        ('. "$NAME"', True),
        ('curl "$NAME"', False),
        ("./evaluate it", False),
    ],
)
def test_evaluates(script: str, again: bool) -> None:
    assert evaluates(script) is again
