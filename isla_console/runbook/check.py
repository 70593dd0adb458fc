"""`isla-console check`: what is wrong with a runbook, and what stands in the way of using it here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from isla_console.runbook.deep import SqlEffect, deep_findings, steps_of
from isla_console.runbook.findings import Finding, RunbookError, Weight
from isla_console.runbook.findings import Path as Place
from isla_console.runbook.load import Loaded, load_runbook
from isla_console.runbook.model import Runbook
from isla_console.runbook.rules.document import Breach
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


def check(path: Path, settings: Settings, sql_effect: SqlEffect | None = None) -> Report:
    """Everything there is to say about a runbook before it is needed. Raises nothing.

    Errors make it unusable. Warnings are what will not work here and now: missing tools, dates unfilled.
    Notes are what a person should know: variables not set, blocked steps.

    Args:
        path: The file.
        settings: The configuration.
        sql_effect: Judges statements by PostgreSQL's grammar; without it, their first words have to do.
    """
    name = plain(str(path))
    try:
        loaded = load_runbook(path)
    except RunbookError as error:
        return Report(name, error.findings)
    deep = deep_findings(loaded, sql_effect)
    findings = [*loaded.findings, *deep, *_preflight(loaded, settings)]
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
    ready = "not ready to use" if report.exit_code else "ready to use"
    parts = ", ".join(
        (
            f"{len(runbook.issues)} issues",
            f"{len(runbook.procedures)} procedures",
            f"{sum(1 for _ in runbook.all_steps())} steps",
            f"{len(runbook.health_checks)} health checks",
            f"{len(runbook.metrics)} metrics",
        )
    )
    return "\n".join([*lines, f"{report.path}: {parts}; {found}: {ready}"])


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


def _preflight(loaded: Loaded, settings: Settings) -> Iterator[Finding]:
    runbook, today = loaded.runbook, datetime.now(UTC).date()

    def at(path: Place, problem: str, expected: str, weight: Weight, *, key: bool = False) -> Finding:
        return loaded.finding(Breach(path, problem, expected, weight=weight, on_key=key))

    for field in ("last_updated", "next_review"):
        if getattr(runbook, field) is None:
            said = runbook.unfilled.get(field)
            original = f', the original says "{said}"' if said else ""
            yield at((field,), f"not filled in{original}", "a date such as 2026-11-23", "warning")
    for input_name, item in runbook.inputs.items():
        if item.env and item.default is None and not item.optional and settings.origin(item.env) == "not set":
            problem = f"{item.env} is not set: {plain(item.title)}"
            yield at(("inputs", input_name), problem, "", "note", key=True)
    for place, contact in enumerate(runbook.contacts):
        if contact.contact is None:
            problem = f"{plain(contact.role)} cannot be reached: {plain(contact.unfilled or '')}"
            yield at(("contacts", place, "contact"), problem, "how to reach them", "warning")
    due = runbook.review_due
    if due is not None and due < today:
        key = "next_review" if runbook.next_review else "last_updated"
        yield at((key,), f"its review is overdue since {due}", "a review, and the next date", "warning")
    for path, step in steps_of(runbook):
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
