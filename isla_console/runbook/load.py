"""Loading a runbook: from a file to a `Runbook`, or to everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from isla_console.runbook.files import read_text
from isla_console.runbook.findings import Finding, RunbookError, Weight, where
from isla_console.runbook.findings import Path as Place
from isla_console.runbook.model import Runbook
from isla_console.runbook.nodes import Node, Position, Problem, YamlError, parse
from isla_console.runbook.rules import all_breaches
from isla_console.runbook.rules.document import Breach
from isla_console.runbook.shapes import breaches
from isla_console.text.plain import plain

__all__ = ["Finding", "Loaded", "RunbookError", "load_runbook", "load_text"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A runbook that can be used.

    `sha256` is the hex digest of the file's bytes; `findings` are warnings only. `root` knows the place of
    every value, for what is found later.
    """

    runbook: Runbook
    sha256: str
    findings: tuple[Finding, ...]
    path: Path
    root: Node = field(repr=False, compare=False)

    def finding(self, breach: Breach, at: Position | None = None) -> Finding:
        """Return a breach as a finding, at its place in the file, or at another one."""
        return _finding(plain(str(self.path)), self.root, breach, at)


def load_runbook(path: Path) -> Loaded:
    """Read, check and build the runbook in a file.

    Raises:
        RunbookError: With every finding of the file, in its order. Nothing else is raised, whatever
            the file holds.
    """
    text, sha256 = read_text(path)
    runbook, findings, root = _load(text, plain(str(path)))
    return Loaded(runbook, sha256, findings, path, root)


def load_text(text: str, name: str = "runbook") -> tuple[Runbook, tuple[Finding, ...]]:
    """Return the runbook in a text, with its warnings; findings call the file `name`.

    Raises:
        RunbookError: With every finding, in the order of the text.
    """
    runbook, findings, _ = _load(text, name)
    return runbook, findings


def _load(text: str, name: str) -> tuple[Runbook, tuple[Finding, ...], Node]:
    try:
        root, problems = parse(text)
    except YamlError as error:
        raise RunbookError(_from_yaml(name, error.problems)) from None
    if not isinstance(root.value, dict):
        problem = Problem(root.at, "the file holds no mapping", "a runbook: version, title, issues …")
        raise RunbookError(_from_yaml(name, [*problems, problem]))

    findings = _from_yaml(name, problems)
    findings += [_finding(name, root, breach) for breach in all_breaches(root)]
    runbook: Runbook | None = None
    try:
        runbook = Runbook.model_validate(root.value)
    except ValidationError as error:
        findings += [_finding(name, root, breach) for breach in breaches(error, root)]
    findings = sorted(dict.fromkeys(findings), key=lambda finding: (finding.line, finding.column))
    if runbook is None or any(finding.severity == "error" for finding in findings):
        raise RunbookError(findings)
    return runbook, tuple(findings), root


def _from_yaml(name: str, problems: list[Problem]) -> list[Finding]:
    return [_say(name, item.at, item.path, item.problem, item.expected) for item in problems]


def _finding(name: str, root: Node, breach: Breach, at: Position | None = None) -> Finding:
    at = at or root.position(breach.path if breach.at is None else breach.at, key=breach.on_key)
    return _say(name, at, breach.path, breach.problem, breach.expected, breach.hint, breach.weight)


def _say(
    name: str,
    at: Position,
    path: Place,
    problem: str,
    expected: str,
    hint: str = "",
    weight: Weight = "error",
) -> Finding:
    """Make a finding in which no text quoted from the file can control the terminal."""
    return Finding(
        name, at.line, at.column, where(path), plain(problem), plain(expected), plain(hint), weight
    )
