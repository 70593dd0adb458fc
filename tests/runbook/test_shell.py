"""What can be read from a shell script without running it."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isla_console.runbook.shell import (
    early_readers,
    has_pipe,
    interpreter,
    is_bare,
    names,
    syntax_fault,
    tools,
)
from tests.support.pace import slowness


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
        # Text that starts nothing.
        ("cat <<EOF\nrm -rf /\nfoo | bar\nEOF\nls", ("cat", "ls")),
        ("cat <<'EOF' | grep x\n$(rm y)\nEOF", ("cat", "grep")),
        ("i=0; while [ $i -lt 3 ]; do i=$((i++)); ((i++)); done; let i++", ()),
        ("case $(head -c 5 f) in\nPGDMP) pg_restore f ;;\n*) psql ;;\nesac", ("head", "pg_restore", "psql")),
        ("# don't\nrm x\n", ("rm",)),
        ("echo it\\'s; rm x", ("rm",)),
        ("awk '{print $1; system(\"x\")}' f", ("awk",)),
        ("echo '$(rm x)' \"a b\"", ()),
        ("f() { oc get; }\nf | f", ("oc",)),
        # What starts another program here.
        ("env -i X=1 -u Y prog a", ("env", "prog")),
        ("sudo -u bob -- systemctl status x", ("sudo", "systemctl")),
        ("find . -print0 | xargs -0 -n 1 rm -f", ("find", "xargs", "rm")),
        ("timeout -k 2 5 curl x", ("timeout", "curl")),
        ("nohup nice -n 5 dump &", ("nohup", "nice", "dump")),
        ('bash -c "kubectl get pods | jq ."', ("bash", "kubectl", "jq")),
        ("time -p psql", ("psql",)),
        ("! curl x", ("curl",)),
        ("command -v oc || exec vercel", ("vercel",)),
        ("/usr/bin/env python3 x", ("/usr/bin/env", "python3")),
        # What ssh starts is on another machine.
        ("ssh host prog", ("ssh",)),
        # Within others.
        ('echo "$(oc get x)" `date`', ("oc", "date")),
        ("diff <(sort a) <(uniq b)", ("diff", "sort", "uniq")),
        ("(cd /srv && make) || { git log; }", ("make", "git")),
        ("x=$(vercel ls) y", ("vercel", "y")),
    ],
)
def test_tools(script: str, found: tuple[str, ...]) -> None:
    assert sorted(tools(script)) == sorted(found)


@given(st.text(st.sampled_from("ab |&;<>(){}[]$`'\"\\\n#!=*-"), max_size=120))
@settings(deadline=None)
def test_any_text_is_read(script: str) -> None:
    tools(script)
    has_pipe(script)
    early_readers(script)


def test_deep_nesting_is_read() -> None:
    start = time.monotonic()
    tools("$(" * 5000 + "x" + ")" * 5000)
    tools("if a; then " * 2000)
    assert time.monotonic() - start < 5 * slowness()


@pytest.mark.parametrize(
    ("script", "shell"),
    [
        ("ls", "bash"),
        ("#!/bin/sh\nls", "sh"),
        ("#! /usr/bin/env -S bash -eu\nls", "bash"),
        ("#!/usr/bin/zsh", "zsh"),
        ("#!/usr/bin/env python3\nprint()", ""),
        ("#!", ""),
    ],
)
def test_interpreter(script: str, shell: str) -> None:
    assert interpreter(script) == shell


@pytest.mark.parametrize(
    ("script", "line", "said"),
    [
        ("if then", 1, "unexpected token"),
        ("ls\nfor f in a; do\n  ls\ndone\nfi\n", 5, "near unexpected token `fi'"),
        ('ls\necho "abc', 2, "unexpected EOF while looking for matching"),
        ("#!/bin/sh\nls\n)", 3, "unexpected"),
        ("cat <<EOF\nx\nEOF\nls | grep x", 0, ""),
        ("a=(1 2); echo ${a[@]} <(ls)", 0, ""),
    ],
)
def test_syntax(script: str, line: int, said: str) -> None:
    fault = syntax_fault(script)
    if not said:
        assert fault is None
        return
    assert fault is not None
    assert (fault.line, said in fault.problem) == (line, True)


def test_reading_a_script_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env").write_text(f"touch {tmp_path}/ran\n")
    monkeypatch.setenv("BASH_ENV", str(tmp_path / "env"))
    touch = f"touch {tmp_path}/ran"
    script = f"{touch}; $({touch}); cat <({touch})\nexec {touch}"
    assert syntax_fault(script) is None
    tools(script)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("script", "readers"),
    [
        ("if x | grep -q y; then z; fi", ((0, "grep -q y"),)),
        ("ls\nx | head -n 1 && y", ((1, "head -n 1"),)),
        ("while ! x | grep --max-count=1 y; do z; done", ((0, "grep --max-count=1 y"),)),
        ("if x | grep y > /dev/null; then z; fi", ()),
        ("x | head -n 1", ()),
        ("y && x | head -n 1", ()),
        ("if grep -q y x; then z; fi", ()),
    ],
)
def test_early_readers_in_conditions(script: str, readers: tuple[tuple[int, str], ...]) -> None:
    assert early_readers(script) == readers


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
