"""`isla-console check`: what is wrong with a runbook, and what stands in the way of using it here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from isla_console.runbook.files import read_text
from isla_console.runbook.findings import Finding, RunbookError, Weight, where
from isla_console.runbook.findings import Path as Place
from isla_console.runbook.load import Loaded, load_runbook
from isla_console.runbook.model import Runbook, Step
from isla_console.runbook.nodes import Node, parse
from isla_console.runbook.shell import tools
from isla_console.text.plain import plain


class Settings(Protocol):
    """What the check asks of the configuration."""

    def origin(self, name: str) -> str:
        """Where a variable's value comes from; "not set" if it has none."""


@dataclass(frozen=True, slots=True)
class Report:
    """The findings on one file; the runbook itself if it can be used."""

    path: str
    findings: tuple[Finding, ...]
    runbook: Runbook | None = None

    def of(self, weight: Weight) -> tuple[Finding, ...]:
        """The findings of one weight."""
        return tuple(finding for finding in self.findings if finding.severity == weight)

    @property
    def exit_code(self) -> int:
        """1 if the runbook cannot be used, else 0."""
        return 1 if self.of("error") else 0


def check(path: Path, settings: Settings) -> Report:
    """Everything there is to say about a runbook before it is needed. Raises nothing.

    Errors make it unusable. Warnings are what will not work here and now: missing tools, dates unfilled.
    Notes are what a person should know: variables not set, blocked steps.
    """
    name = plain(str(path))
    try:
        loaded = load_runbook(path)
        # Once more for the places; the file may have changed since, and then they are its new ones.
        root = parse(read_text(path)[0])[0]
    except RunbookError as error:
        return Report(name, error.findings)
    findings = [*loaded.findings, *_preflight(loaded, root, settings)]
    findings.sort(key=lambda finding: (finding.line, finding.column))
    return Report(name, tuple(findings), loaded.runbook)


def render_text(report: Report) -> str:
    """For a terminal: one finding a line, then the sum."""
    lines = [str(finding) for finding in report.findings]
    counts = [_count(report, weight) for weight in ("error", "warning", "note")]
    found = ", ".join(count for count in counts if count) or "nothing found"
    if report.runbook is None:
        return "\n".join([*lines, f"{report.path}: {found}: this runbook cannot be used"])
    runbook = report.runbook
    parts = ", ".join(
        (
            f"{len(runbook.issues)} issues",
            f"{len(runbook.procedures)} procedures",
            f"{sum(1 for _ in runbook.all_steps())} steps",
            f"{len(runbook.health_checks)} health checks",
            f"{len(runbook.metrics)} metrics",
        )
    )
    return "\n".join([*lines, f"{report.path}: {parts}; {found}: ready to use"])


def render_json(report: Report) -> str:
    """`{"path", "ok", "errors", "warnings", "notes", "findings": [Finding ...]}`, indented."""
    result: dict[str, Any] = {
        "path": report.path,
        "ok": report.exit_code == 0,
        "errors": len(report.of("error")),
        "warnings": len(report.of("warning")),
        "notes": len(report.of("note")),
        "findings": [asdict(finding) for finding in report.findings],
    }
    return json.dumps(result, indent=2)


def _count(report: Report, weight: Weight) -> str:
    many = len(report.of(weight))
    return f"{many} {weight}{'' if many == 1 else 's'}" if many else ""


def _preflight(loaded: Loaded, root: Node, settings: Settings) -> Iterator[Finding]:
    runbook, name = loaded.runbook, plain(str(loaded.path))

    def at(path: Place, problem: str, expected: str, weight: Weight, *, key: bool = False) -> Finding:
        line, column = root.position(path, key=key)
        return Finding(name, line, column, where(path), problem, expected, severity=weight)

    for field in ("last_updated", "next_review"):
        if getattr(runbook, field) is None:
            said = runbook.unfilled.get(field)
            original = f', the original says "{said}"' if said else ""
            yield at((field,), f"not filled in{original}", "a date such as 2026-11-23", "warning")
    for input_name, item in runbook.inputs.items():
        if item.env and item.default is None and not item.optional and settings.origin(item.env) == "not set":
            problem = f"{item.env} is not set: {plain(item.title)}"
            yield at(("inputs", input_name), problem, "", "note", key=True)
    for path, step in _steps(runbook):
        if step.blocked:
            yield at(path, f'"{plain(step.title)}" is blocked: {plain(step.blocked)}', "", "note")
        elif step.kind == "shell":
            for tool in tools(step.run or ""):
                if shutil.which(tool) is None:
                    copy = "" if step.cli is None else ", or copy the line under `cli`"
                    yield at(
                        (*path, "run"),
                        f"{plain(tool)} is not on this machine's PATH",
                        f"it installed{copy}",
                        "warning",
                    )


def _steps(runbook: Runbook) -> Iterator[tuple[Place, Step]]:
    """Every step with its path."""
    for i, issue in enumerate(runbook.issues):
        for j, step in enumerate(issue.diagnosis):
            yield ("issues", i, "diagnosis", j), step
        for j, resolution in enumerate(issue.resolutions):
            for k, step in enumerate(resolution.steps):
                yield ("issues", i, "resolutions", j, "steps", k), step
    for i, procedure in enumerate(runbook.procedures):
        for j, step in enumerate(procedure.steps):
            yield ("procedures", i, "steps", j), step
