"""A value is data: where a shell script would have it read as code, it is found, and not given."""

from __future__ import annotations

from pathlib import Path

import pytest

from isla_console.runbook.deep import deep_findings
from isla_console.runbook.load import RunbookError, load_runbook
from isla_console.runbook.obeyed import obeys
from isla_console.runbook.shell_values import is_plain, misuses
from isla_console.runbook.steps import Input
from isla_console.runbook.templates import PlaceError
from isla_console.steps.environment import check_shell
from tests.support.runbook import runbook_with, shell

CODE = (
    '/bin/sh -c "echo $V"',
    'bash -c "$V"',
    "bash -c 'eval $V'",
    'trap "echo $V" EXIT',
    "trap 'eval \"$V\"' EXIT",
    'awk "BEGIN{print $V}"',
    'sed "s/x/$V/"',
    'python3 -c "print($V)"',
    'perl -e "$V"',
    'echo "$V" | sh',
    'echo "$V" | sudo bash',
    'ssh host "$V"',
    'ssh "$V"',
    'eval "$V"',
    'X="$V"; eval "$X"',
    'find . -exec "$V" {} \\;',
    'xargs "$V"',
    'echo "$V" | xargs rm',
    'env "$V" ls',
    'sudo "$V"',
    '"$V"',
    "$V",
    'make "$V"',
    'git -c "$V" log',
    'psql -c "$V"',
    'psql -c "select $V"',
    'jq "$V"',
    'node -e "$V"',
    'ruby -e "$V"',
    "echo $(( V ))",
    "(( V > 1 ))",
    "[[ $V -eq 1 ]]",
    "a[$V]=1",
    "echo ${a[$V]}",
    "echo ${!V}",
    "echo ${V@P}",
    'bash <<< "$V"',
    "bash <<EOF\necho $V\nEOF",
    "psql <<EOF\nselect $V\nEOF",
    'PATH="$V" ls',
    'printf "$V"',
    'printf -v "$V" x',
    'export "$V"',
    'declare "$V"',
    'read "$V"',
    'source "$V"',
    '. "$V"',
    'exec "$V"',
    'f() { eval "$1"; }; f "$V"',
    'set -- "$V"; eval "$1"',
    'for x in "$V"; do eval "$x"; done',
    'echo "$V" | while read l; do eval "$l"; done',
    'python3 - <<EOF\nprint("$V")\nEOF',
    'let "x=$V"',
    'nohup "$V"',
    'time sh -c "$V"',
    'timeout 5 sh -c "$V"',
    'LD_PRELOAD="$V" ls',
    'docker exec x sh -c "$V"',
    'kubectl exec p -- sh -c "$V"',
    'xargs -I{} sh -c "$V"',
    'test -v "$V"',
    'unset "$V"',
    'alias x="$V"',
    'coproc eval "$V"',
    'echo `eval "$V"`',
    'cat <(sh -c "$V")',
    'x=$(bash -c "$V")',
    'if eval "$V"; then :; fi',
    'curl -K "$V"',
    'tar --checkpoint-action=exec="$V" x',
    'psql -c"$V"',
    'psql --command="$V"',
    'watch "$V"',
    'watch ls "$V"',
    'cd x && sh -c "$V"',
    'sqlite3 db "$V"',
    'redis-cli "$V"',
    'mysql -e "$V"',
    'busybox sh -c "$V"',
    'python3.11 -c "$V"',
    'env -S "$V"',
    'command "$V"',
    'builtin eval "$V"',
    '"${V}"',
    "${V}/bin/x",
    "/opt/$V/run",
)
DATA = (
    'echo "$V"',
    'curl "https://x/$V"',
    'grep -- "$V" file',
    'vercel redeploy "$V" --target production',
    'pg_dump --file="$V.tmp"',
    'psql --dbname="$V"',
    'psql --file="$V"',
    'jq --arg x "$V" ".a==\\$x" f',
    '[ "$V" = x ]',
    "[[ $V == x ]]",
    'case "$V" in a) ls;; esac',
    'mv -- "$V.tmp" "$V"',
    'cat > "$V"',
    'X="$V" ls',
    'test -f "$V"',
    'head -n 20 "$V" | grep x',
    'printf "%s\\n" "$V"',
    'echo "$V" | grep x',
    'timeout 5 curl "$V"',
    "cat <<EOF\n$V\nEOF",
    'find . -name "$V"',
    'git log "$V"',
    'awk -v x="$V" "{print x}"',
    'sudo systemctl status "$V"',
    'pg_restore --list "$V" > /dev/null',
    'stripe events list --limit "$V"',
    'x="$V"; echo "$x"',
    'if [ -n "$V" ]; then echo "$V"; fi',
    'for x in a b; do echo "$V"; done',
)
NAMES = frozenset({"V"})


@pytest.mark.parametrize("script", CODE)
def test_where_a_value_is_code(script: str) -> None:
    found = misuses(script, NAMES)
    assert found
    assert found[0].name == "V"
    item = Input(name="V", title="a value")
    with pytest.raises(PlaceError, match="V: "):
        check_shell(script, item, "reboot")
    # The author of the runbook says that nothing but a plain word comes through.
    check_shell(script, item.model_copy(update={"pattern": "[a-z]+"}), "reboot")


@pytest.mark.parametrize("script", DATA)
def test_where_a_value_is_data(script: str) -> None:
    assert misuses(script, NAMES) == ()


def test_where_it_stands() -> None:
    (found,) = misuses('echo "$V"\n  awk "{print $V}"\n', NAMES)
    assert (found.line, found.column) == (1, 14)


@pytest.mark.parametrize(
    ("pattern", "type", "plain"),
    [
        ("^[a-z0-9-]+$", "text", True),
        (r"[A-Za-z_]\w*", "text", True),
        ("dpl_[A-Za-z0-9]{8,}", "text", True),
        (r"(?:a|b)\.sql", "text", True),
        ("", "int", True),
        ("", "text", False),
        (".*", "text", False),
        (r"\S+", "text", False),
        ("[^x]+", "text", False),
        ("[+-z]", "text", False),
        ("[a-z;]", "text", False),
        ("a b", "text", False),
    ],
)
def test_a_plain_pattern(pattern: str, type: str, plain: bool) -> None:
    assert is_plain(pattern, type) is plain


@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "BASH_ENV", "PGOPTIONS", "HOME", "http_proxy", "IFS", "PYTHONPATH"]
)
def test_names_that_are_obeyed(name: str) -> None:
    assert obeys(name)


@pytest.mark.parametrize("name", ["ORDER_ID", "SESSION_PID", "GOOGLE_TOKEN", "BACKUP_FILE", "PGN_ID"])
def test_names_that_are_not(name: str) -> None:
    assert not obeys(name)


def test_check_says_where_a_value_would_be_code(tmp_path: Path) -> None:
    file = runbook_with(tmp_path, shell("a", 'echo one\nawk "{print $WHO}" file'))
    (found,) = [one for one in deep_findings(load_runbook(file)) if "no data here" in one.problem]
    line = file.read_text().splitlines()[found.line - 1]
    assert line[found.column - 1 :].startswith("$WHO}")
    assert found.problem == "WHO is no data here: awk takes it for code"


def test_an_input_that_a_shell_would_obey_is_refused(tmp_path: Path) -> None:
    file = runbook_with(tmp_path, shell("a", 'echo "$WHO"'))
    file.write_text(file.read_text().replace("  WHO:", "  LD_PRELOAD:").replace("$WHO", "$LD_PRELOAD"))
    with pytest.raises(RunbookError, match='what "LD_PRELOAD" holds, shells or programs obey'):
        load_runbook(file)
