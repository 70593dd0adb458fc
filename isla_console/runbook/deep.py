"""What takes too long to be looked at on the way to the first board: scripts, patterns and statements.

`isla-console check` looks at once; the console looks in the background, and what is found stands on the
overview. Nothing is run: a script is only read by its shell. Nothing here is needed for safety, because the
guard judges every step again when it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from isla_console.runbook import effects, patterns, shell
from isla_console.runbook.findings import Finding, Path, show
from isla_console.runbook.load import Loaded
from isla_console.runbook.model import Runbook, Step
from isla_console.runbook.nodes import Position
from isla_console.runbook.rules.document import Breach
from isla_console.runbook.rules.safety import understated
from isla_console.runbook.shell_values import is_plain, misuses
from isla_console.runbook.steps import Effect

SqlEffect = Callable[[str], tuple[Effect, tuple[str, ...]]]
"""Gives a statement's effect by PostgreSQL's own grammar, and why."""


def deep_findings(loaded: Loaded, sql_effect: SqlEffect | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with scripts, patterns and declared effects, in the order of the file.

    Args:
        loaded: The runbook.
        sql_effect: Judges statements; without it they are not looked at.
    """
    found = [loaded.finding(breach) for breach in _patterns(loaded)]
    for path, step in steps_of(loaded.runbook):
        if step.kind == "shell" and step.run:
            found += _of_script(loaded, path, step)
        elif step.kind == "sql" and step.run and sql_effect is not None:
            seen, reasons = sql_effect(step.run)
            if _is_more(seen, step.effect):
                why = "; ".join(reasons) or f"the statement is a {seen}"
                found.append(loaded.finding(understated(path, step.effect, seen, why)))
    known = set(loaded.findings)
    found = [one for one in dict.fromkeys(found) if one not in known]
    return tuple(sorted(found, key=lambda one: (one.line, one.column)))


def steps_of(runbook: Runbook) -> Iterator[tuple[Path, Step]]:
    """Yield every step with its path."""
    for i, issue in enumerate(runbook.issues):
        for j, step in enumerate(issue.diagnosis):
            yield ("issues", i, "diagnosis", j), step
        for j, resolution in enumerate(issue.resolutions):
            for k, step in enumerate(resolution.steps):
                yield ("issues", i, "resolutions", j, "steps", k), step
    for i, procedure in enumerate(runbook.procedures):
        for j, step in enumerate(procedure.steps):
            yield ("procedures", i, "steps", j), step


def _of_script(loaded: Loaded, path: Path, step: Step) -> Iterator[Finding]:
    script, at = step.run or "", (*path, "run")
    if (fault := shell.syntax_fault(script)) is not None:
        name = shell.interpreter(script)
        breach = Breach(at, f"{name} cannot read this: {fault.problem}", f"a script that {name} -n accepts")
        last = script.rstrip("\n").count("\n")
        yield loaded.finding(breach, _line_of(loaded, at, min(fault.line - 1, last)) if fault.line else None)
        return
    for line, reader in shell.early_readers(script):
        problem = f"{show(reader)} may stop reading early, and then the pipe counts as failed"
        instead = "one that reads all, such as `grep … > /dev/null`"
        breach = Breach(at, problem, instead, weight="warning")
        yield loaded.finding(breach, _line_of(loaded, at, line))
    yield from _of_values(loaded, at, script)
    worst = max(effects.of_shell(script), key=lambda one: effects.ORDER.index(one[0]), default=None)
    if worst is not None and _is_more(worst[0], step.effect):
        yield loaded.finding(understated(path, step.effect, *worst))


def _of_values(loaded: Loaded, at: Path, script: str) -> Iterator[Finding]:
    """Yield each place where a value that may be anything would be read as code."""
    inputs = loaded.runbook.inputs
    names = frozenset(name for name, item in inputs.items() if not is_plain(item.pattern, item.type))
    for one in misuses(script, names):
        breach = Breach(
            at,
            f"{one.name} is no data here: {one.why}",
            "an argument of a program that is no interpreter, or an input with a pattern of plain words",
        )
        yield loaded.finding(breach, _line_of(loaded, at, one.line, one.column))


def _line_of(loaded: Loaded, path: Path, line: int, column: int = 0) -> Position:
    """Return a place in a text, from 0; where the text begins, if it is not written line by line."""
    node = loaded.root
    for part in path:
        inner = node.child(part)
        if inner is None:
            return node.at
        node = inner
    if not node.block_indent:
        return node.at
    return Position(node.at.line + 1 + line, node.block_indent + 1 + column)


def _patterns(loaded: Loaded) -> Iterator[Breach]:
    for path, pattern in _all_patterns(loaded.runbook):
        if said := patterns.problem(pattern):
            yield Breach(path, f"no pattern that RE2 takes: {said}", "a pattern in RE2's syntax")
    for name, item in loaded.runbook.inputs.items():
        if not item.pattern or not item.default or item.type in {"date", "datetime"}:
            continue
        if not patterns.problem(item.pattern) and not patterns.matches_whole(item.pattern, item.default):
            at: Path = ("inputs", name, "default")
            yield Breach(at, f"{show(item.default)} does not match the input's own pattern", item.pattern)


def _all_patterns(runbook: Runbook) -> Iterator[tuple[Path, str]]:
    found: list[tuple[Path, str | None]] = []
    found += [(("inputs", name, "pattern"), item.pattern) for name, item in runbook.inputs.items()]
    for key, probes in (("health_checks", runbook.health_checks), ("probes", runbook.probes)):
        for i, probe in enumerate(probes):
            found.append(((key, i, "expect_text"), probe.expect_text))
            found += [((key, i, "expect_headers", name), one) for name, one in probe.expect_headers.items()]
    for path, step in steps_of(runbook):
        found.append(((*path, "expect", "pattern"), step.expect.pattern if step.expect else None))
        found += [((*path, "seen", i, "pattern"), one.pattern) for i, one in enumerate(step.seen)]
    yield from ((path, pattern) for path, pattern in found if pattern)


def _is_more(seen: Any, declared: Effect) -> bool:
    return effects.ORDER.index(seen) > effects.ORDER.index(declared)
