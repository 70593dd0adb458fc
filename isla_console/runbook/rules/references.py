"""Ids are given once, and every reference leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from isla_console.runbook.findings import Path, nearest, show
from isla_console.runbook.rules.document import Breach, Index, Place, ids, mapping, mappings, texts, unknown
from isla_console.runbook.templates import variables

_SHELL = re.compile(r"(?<!\\)\$(?:\{([A-Z][A-Z0-9_]*)|([A-Z][A-Z0-9_]*))")
_SHELL_SETS = re.compile(
    r"(?:^|[\s;&|(])(?:for\s+|read\s+(?:-\w+\s+)*)?([A-Z][A-Z0-9_]*)(?==|\s+in\b|\s*$)", re.M
)
_SQL = re.compile(r"\$([1-9][0-9]?)\b")

# What every process has, or libpq is given for a step with `connect`.
_SHELL_OWN = frozenset({"HOME", "USER", "LOGNAME", "PATH", "PWD", "TMPDIR", "HOSTNAME", "SHELL", "LANG"})
_LIBPQ = frozenset({"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE"})


def duplicate_ids(index: Index) -> Iterator[Breach]:
    """No two things of a kind share an id, nor two pages a number."""
    kinds: tuple[tuple[str, list[Place]], ...] = (
        ("contact", index.contacts),
        ("severity", index.severities),
        ("probe", [*index.probes, *index.database_checks]),
        ("metric", index.metrics),
        ("vendor", index.vendors),
        ("issue or procedure", [*index.issues, *index.procedures]),
        ("symptom", index.symptoms),
        ("resolution", index.resolutions),
        ("step", index.steps),
        ("follow-up", index.follow_ups),
        ("template", index.templates),
        ("checklist item", index.checklist),
        ("level", index.levels),
    )
    for what, places in kinds:
        yield from _twice(index, places, "id", what)
    yield from _twice(index, [*index.issues, *index.procedures], "number", "issue or procedure")


def _twice(index: Index, places: list[Place], key: str, what: str) -> Iterator[Breach]:
    first: dict[Any, Path] = {}
    for path, item in places:
        value = item.get(key)
        if not isinstance(value, str | int):
            continue
        if value in first:
            line = index.root.position((*first[value], key)).line
            yield Breach((*path, key), f"a second {what} has the {key} {show(value)}; first on line {line}")
        else:
            first[value] = path


def references(index: Index) -> Iterator[Breach]:
    """Every id that is referred to exists."""
    known = {
        "severity": ids(index.severities),
        "issue": ids(index.issues),
        "level": ids(index.levels),
        "step": ids(index.steps),
        "symptom": ids(index.symptoms),
        "metric": ids(index.metrics),
        "probe": ids([*index.probes, *index.database_checks]),
        "vendor": ids(index.vendors),
        "input": index.input_names,
    }

    def one(path: Path, item: dict[str, Any], key: str, what: str) -> Iterator[Breach]:
        word = item.get(key)
        if isinstance(word, str) and word not in known[what]:
            yield unknown((*path, key), word, what, known[what])

    def many(path: Path, item: dict[str, Any], key: str, what: str) -> Iterator[Breach]:
        for number, word in texts(item.get(key)):
            if word not in known[what]:
                yield unknown((*path, key, number), word, what, known[what])

    for path, contact in index.contacts:
        yield from many(path, contact, "severities", "severity")
        yield from many(path, contact, "issues", "issue")
        yield from many(path, contact, "levels", "level")
    for path, item in index.inputs:
        yield from one((*path, "pick"), mapping(item.get("pick")), "step", "step")
    for path, step in index.steps:
        yield from one(path, step, "issue", "issue")
        yield from one(path, step, "preview", "step")
        yield from one(path, step, "connect", "input")
        yield from many(path, step, "params", "input")
        for at, seen in mappings(step, "seen", path):
            yield from one(at, seen, "symptom", "symptom")
    for path, issue in index.issues:
        yield from many(path, issue, "see_also", "issue")
        yield from many(path, issue, "downstream_of", "issue")
        yield from one(path, issue, "severity", "severity")
    for path, item in (*index.symptoms, *index.signals):
        yield from one(path, item, "metric", "metric")
        yield from one(path, item, "probe", "probe")
        yield from one(path, item, "symptom", "symptom")
        yield from one(path, item, "vendor", "vendor")
    known["template"] = ids(index.templates)
    audiences = {item.get("id"): item.get("audience") for _, item in index.templates}
    for path, item in index.templates:
        yield from one(path, item, "clock", "template")
        other = audiences.get(item.get("clock"))
        if other is not None and other != item.get("audience"):
            problem = f"shares the clock of a text to another audience ({show(other)})"
            yield Breach((*path, "clock"), problem, f"a template for {show(item.get('audience'))}")
    # What is measured is a request: a question to the database has no latency.
    known["probe"] = ids(index.probes)
    for path, metric in index.metrics:
        yield from many((*path, "source"), mapping(metric.get("source")), "probes", "probe")
    yield from _severity_rules(index, known["severity"], known["level"])


def _severity_rules(index: Index, severities: list[str], levels: list[str]) -> Iterator[Breach]:
    table = mapping(index.escalation.get("by_severity"))
    path = ("escalation", "by_severity")
    for severity, rule in table.items():
        if severity not in severities:
            near = nearest(severity, severities)
            yield Breach((*path, severity), f"there is no severity {show(severity)}", "", near, on_key=True)
        for level in mapping(mapping(rule).get("ladder")):
            if level not in levels:
                near = nearest(level, levels)
                at = (*path, severity, "ladder", level)
                yield Breach(at, f"there is no level {show(level)}", "", near, on_key=True)
    if table:
        for severity in severities:
            if severity not in table:
                yield Breach(path, f"the severity {show(severity)} has no rule here", f"{severity}: ladder …")


def inputs_used(index: Index) -> Iterator[Breach]:
    """Every `${NAME}`, `"$NAME"` and `$1` is an input that is declared, and no input is left over."""
    names = index.input_names
    used: set[str] = set()
    for path, text in _templates(index):
        for name in variables(text):
            used.add(name)
            if name not in names:
                yield _undeclared(path, name, names)
    for path, step in index.steps:
        run = step.get("run")
        params = texts(step.get("params"))
        used.update(name for _, name in params)
        used.update(name for name in (step.get("connect"),) if isinstance(name, str))
        if not isinstance(run, str):
            continue
        if step.get("kind") == "shell":
            own = set(_SHELL_SETS.findall(run)) | _SHELL_OWN | (_LIBPQ if step.get("connect") else set())
            for name in dict.fromkeys(a or b for a, b in _SHELL.findall(run)):
                used.add(name)
                if name not in names and name not in own:
                    yield _undeclared((*path, "run"), name, names)
        elif step.get("kind") == "sql":
            highest = max((int(n) for n in _SQL.findall(run)), default=0)
            if highest != len(params):
                problem = f"the statement has {_parameters(highest)}, `params` names {len(params)}"
                yield Breach((*path, "run"), problem, "one input for each of $1, $2 …")
    for path, _ in index.inputs:
        if path[-1] not in used:
            yield Breach(path, "no step, probe or metric uses this input", weight="warning", on_key=True)


def _parameters(highest: int) -> str:
    return f"parameters up to ${highest}" if highest else "no parameters"


def _undeclared(path: Path, name: str, names: Iterable[str]) -> Breach:
    return Breach(
        path, f"the input {show(name)} is not declared", f"{name} under inputs", nearest(name, names)
    )


def _templates(index: Index) -> Iterator[tuple[Path, str]]:
    """Yield every text in which `${NAME}` is replaced, with its path."""
    for path, probe in index.probes:
        yield from _strings((*path, "url"), probe.get("url"))
        yield from _strings((*path, "headers"), probe.get("headers"))
    for path, metric in index.metrics:
        source = mapping(metric.get("source"))
        for key in ("url", "headers"):
            yield from _strings((*path, "source", key), source.get(key))
    for path, vendor in index.vendors:
        yield from _strings((*path, "url"), vendor.get("url"))
    for key in ("recent", "serving"):
        yield from _strings(("deployments", key), index.deployments.get(key))
    for path, step in index.steps:
        yield from _strings((*path, "url"), step.get("url"))
        yield from _strings((*path, "http"), step.get("http"))


def _strings(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _strings((*path, key), member)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _strings((*path, number), member)


RULES = (duplicate_ids, references, inputs_used)
