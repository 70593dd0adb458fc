"""What `isla-console check` and `isla-console schema` say."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from isla_console.cli import main
from isla_console.resources import resource
from isla_console.runbook.check import Report, check, render_json, render_text
from isla_console.runbook.findings import Weight
from isla_console.runbook.schema import schema


class Configured:
    """A configuration in which the named variables are set."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def origin(self, name: str) -> str:
        return "environment" if name in self.names else "not set"


UNKNOWN = ("Senior engineer", "CTO", "CEO")
"""Whom the ladder calls, though the original runbook says nowhere how."""


def problems(report: Report, weight: Weight) -> list[str]:
    return [finding.problem for finding in report.of(weight)]


def test_shipped_runbook_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda tool, path=None: f"/usr/bin/{tool}")
    report = check(resource("runbook.yaml"), Configured("ISLA_APP_URL"))
    assert report.exit_code == 0
    assert problems(report, "error") == []
    assert problems(report, "warning") == [
        'not filled in, the original says "[Date]"',
        'not filled in, the original says "[Quarterly]"',
        *(f"{who} cannot be reached: the original runbook names nobody" for who in UNKNOWN),
    ]
    notes = problems(report, "note")
    assert any("ISLA_REDIRECT_URL is not set" in note for note in notes)
    assert not any("ISLA_APP_URL" in note for note in notes)
    assert sum("is blocked" in note for note in notes) == 4
    assert "6 issues, 3 procedures" in render_text(report).splitlines()[-1]


def test_findings_point_at_their_line() -> None:
    path = resource("runbook.yaml")
    lines = path.read_text("utf-8").splitlines()
    for finding in check(path, Configured()).findings:
        if finding.problem.startswith("not filled in"):
            assert lines[finding.line - 1] == f"{finding.where}: null"
        elif finding.where.startswith("inputs."):
            assert lines[finding.line - 1] == f"  {finding.where.removeprefix('inputs.')}:"


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda tool, path=None: None)
    found = problems(check(resource("runbook.yaml"), Configured()), "warning")
    for tool in ("vercel", "pg_dump", "pg_restore", "psql"):
        assert f"{tool} is not on this machine's PATH" in found
    assert not any("npm" in problem for problem in found)  # blocked, so never run


def test_broken_runbook(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    path.write_text('version: 3\nowner: "\\x7f"\n')
    report = check(path, Configured())
    assert report.exit_code == 1
    text = render_text(report)
    assert f"{path}:1:10: version: version 3 is not known to this console; expected version: 1" in text
    assert text.splitlines()[-1].endswith("this runbook cannot be used")
    assert "\x7f" not in text


def test_json() -> None:
    said = json.loads(render_json(check(resource("runbook.yaml"), Configured())))
    assert said["ok"] is True
    assert said["errors"] == 0
    assert {"path", "line", "column", "where", "problem", "expected", "hint", "severity"} == set(
        said["findings"][0]
    )


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def load_yaml(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)


@pytest.mark.parametrize("path", [resource("runbook.yaml"), Path(__file__).parent / "minimal.yaml"])
def test_schema_accepts_what_loads(validator: Any, path: Path) -> None:
    assert [error.message for error in validator.iter_errors(load_yaml(path))] == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 2),
        ("titel", "x"),
        ("contacts", "nobody"),
        ("metrics", [{"id": "a"}]),
        ("inputs", {"A": {"title": "A", "name": "A"}}),
        ("procedures", [_procedure := {"id": "a", "number": 7, "title": "A", "short": "A", "steps": [{}]}]),
        (
            "procedures",
            [{**_procedure, "steps": [{"id": "a", "title": "A", "kind": "shell", "effect": "read"}]}],
        ),
        (
            "procedures",
            [{**_procedure, "steps": [{"id": "a", "title": "A", "kind": "manual", "text": "a", "run": "a"}]}],
        ),
        ("procedures", [{**_procedure, "steps": [{"id": "a", "title": "A", "kind": "sql", "run": "a"}]}]),
    ],
)
def test_schema_refuses(validator: Any, key: str, value: object) -> None:
    minimal = load_yaml(Path(__file__).parent / "minimal.yaml")
    assert list(validator.iter_errors({**minimal, key: value}))


def test_schema_explains_fields() -> None:
    step = schema()["$defs"]["Step"]["properties"]
    assert step["blocked"]["description"] == "Why this must not be run."
    assert json.dumps(schema())


def test_a_broken_runbook_is_told_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong is the last thing on the screen, not a page of SQL about something else."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ISLA_DATABASE_URL", raising=False)
    (broken := tmp_path / "runbook.yaml").write_text("version: 1\n")
    assert main(["--runbook", str(broken), "check"]) == 1
    printed = capsys.readouterr().out
    assert "this runbook cannot be used" in printed
    assert "CREATE ROLE" not in printed
    assert main(["check"]) == 0
    assert "CREATE ROLE" in capsys.readouterr().out
