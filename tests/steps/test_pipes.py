"""A pipe is done only if all of its programs are; one whose reader had enough is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from isla_console.steps import shell
from isla_console.steps.shell import LAST_ONLY, shell_for
from tests.steps.support import Bench, shell_step
from tests.steps.test_shell import go


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("no-such-program-x get y | grep y", 1),
        ("no-such-program-x | cat", 127),
        ("false | true", 1),
        ("true | false", 1),
        ("#!/bin/sh\nfalse | cat", 1),
        ("false | cat | cat; true", 0),
        ("yes | head -n 1", 0),
        ("yes | head -n 1 | cat", 0),
        ("yes | grep -q y", 0),
        ("yes | sed 1q > /dev/null", 0),
        ("x=$(yes | head -n 1)", 0),
        ("(yes | head -n 1)", 0),
        ("yes | head -n 1 | no-such-program-x", 127),
        ("yes | head -n 1 | false", 1),
        ("echo a | grep b", 1),
        # Without a pipe nothing can have been cut short.
        ("exit 141", 141),
        ("kill -PIPE $$", -13),
    ],
)
async def test_exit_codes(script: str, code: int) -> None:
    ended, _ = await go(script)
    assert (ended.how, ended.exit_code) == ("exited", code)


async def test_a_missing_first_program_gets_no_tick(bench: Bench) -> None:
    outcome = await bench.do(shell_step("no-such-program-x get y | cat"))
    assert outcome.ending == "failed"
    assert "no-such-program-x is not installed here" in outcome.result
    outcome = await bench.do(shell_step("yes | head -n 2"))
    assert (outcome.ending, outcome.result, outcome.output) == ("done", "exit 0", "y\ny\n")


async def test_where_there_is_no_bash_it_is_said_and_a_missing_program_is_noticed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "shell_for", lambda name, path: shell.Shell("/bin/sh", False))
    outcome = await bench.do(shell_step("false | cat"))
    assert (outcome.ending, outcome.result) == ("done", f"exit 0 · {LAST_ONLY}")
    outcome = await bench.do(shell_step("no-such-program-x | cat"))
    assert (outcome.ending, outcome.exit_code) == ("failed", 127)
    assert (await bench.do(shell_step("true"))).result == "exit 0"


def test_which_shell(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None, "the tests need bash"
    for name in ("bash", "sh", ""):
        assert shell_for(name, "") == shell.Shell(bash, True)
    # One that knows pipefail, and one that does not.
    for name, body in (("ksh", "exit 0"), ("ash", "exit 2")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
        assert shell_for(name, str(tmp_path)).has_pipefail is (name == "ksh")
    assert Path(shell_for("zsh", str(tmp_path)).path).name in {"zsh", "bash"}
