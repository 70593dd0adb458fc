"""What `check` finds that takes too long while the console starts: each at its line, with its cure."""

from pathlib import Path

import pytest

from isla_console.cli import main
from isla_console.resources import resource
from isla_console.runbook.check import Report, check
from isla_console.runbook.deep import deep_findings
from isla_console.runbook.load import Loaded, load_runbook
from isla_console.session.steps import sql_effect
from tests.support.runbook import runbook_with, shell

FIRST = "issues[0].diagnosis[0]"


class Settings:
    """A configuration in which nothing is set."""

    def origin(self, name: str) -> str:
        return "not set"


def checked(folder: Path, steps: str) -> tuple[Report, list[str]]:
    """The check of the shipped runbook with these steps, and the lines of its file."""
    file = runbook_with(folder, steps)
    return check(file, Settings(), sql_effect), file.read_text().splitlines()


def test_shipped_runbook_has_nothing(shipped: Loaded) -> None:
    assert deep_findings(shipped, sql_effect) == ()


@pytest.mark.parametrize(
    ("run", "line", "problem", "expected"),
    [
        ("echo a\nif true\nthen echo b", "then echo b", "bash cannot read this: ", "bash -n accepts"),
        ("#!/bin/sh\necho a\n)", ")", "sh cannot read this: ", "sh -n accepts"),
        ("for f in a; do\n  ls\ndone\nfi", "fi", "near unexpected token", "bash -n accepts"),
    ],
)
def test_script_that_no_shell_can_read(
    tmp_path: Path, run: str, line: str, problem: str, expected: str
) -> None:
    report, lines = checked(tmp_path, shell("a", run))
    [finding] = report.of("error")
    assert finding.where == f"{FIRST}.run"
    assert (lines[finding.line - 1].strip(), finding.column) == (line, 11)
    assert problem in finding.problem
    assert expected in finding.expected
    assert report.exit_code == 1


def test_script_that_is_not_written_line_by_line_is_pointed_at_as_a_whole(tmp_path: Path) -> None:
    step = shell("a", "ls").replace("run: |\n          ls", 'run: "ls\\n\\nfi"')
    report, lines = checked(tmp_path, step)
    [finding] = report.of("error")
    assert lines[finding.line - 1][finding.column - 1 :] == '"ls\\n\\nfi"'


def test_condition_on_a_pipe_that_may_be_cut_short(tmp_path: Path) -> None:
    report, lines = checked(tmp_path, shell("a", "ls\nif ls | grep -q x; then\n  ls\nfi"))
    [finding] = [one for one in report.of("warning") if "may stop reading" in one.problem]
    assert lines[finding.line - 1].strip() == "if ls | grep -q x; then"
    assert finding.expected == "one that reads all, such as `grep … > /dev/null`"
    assert report.exit_code == 0


def test_effects_by_the_grammar_and_by_every_rule(tmp_path: Path) -> None:
    sql = "      - {id: s, title: S, kind: sql, effect: read, run: SELECT 1 INTO one}\n"
    report, _ = checked(tmp_path, shell("a", "curl -F x=@y https://x") + sql)
    found = {one.where: (one.problem, one.expected) for one in report.of("error")}
    assert found[f"{FIRST}.effect"] == (
        "the effect is read, but the command sends a request that writes",
        "effect: write",
    )
    assert found["issues[0].diagnosis[1].effect"][0].startswith("the effect is read, but the statement ")


def test_pattern_that_only_the_engine_itself_refuses(tmp_path: Path) -> None:
    more = '        expect: {pattern: "a{1,5000}"}\n'
    report, lines = checked(tmp_path, shell("a", "ls", more=more))
    [finding] = report.of("error")
    assert lines[finding.line - 1][finding.column - 1 :] == '"a{1,5000}"}'
    assert finding.problem.startswith("no pattern that RE2 takes: invalid repetition size")


def test_loading_looks_at_none_of_it(tmp_path: Path) -> None:
    """Safety does not depend on it, and the start does not wait for it."""
    found = load_runbook(runbook_with(tmp_path, shell("a", "if then"))).findings
    assert not any(one.where.startswith("issues") for one in found)


def test_check_by_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = runbook_with(tmp_path, shell("a", "if then"))
    assert main(["--runbook", str(file), "check"]) == 1
    printed = capsys.readouterr().out
    assert "bash cannot read this" in printed
    assert printed.splitlines()[-1].endswith("not ready to use")
    assert main(["--runbook", str(resource("runbook.yaml")), "check"]) == 0
