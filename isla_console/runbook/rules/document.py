"""The document as the rules read it, and what they find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from isla_console.runbook.findings import Path, Weight, nearest, show
from isla_console.runbook.nodes import Node

Place = tuple[Path, dict[str, Any]]
"""The path of a mapping, and the mapping."""


class Breach(NamedTuple):
    """Something that does not fit, by path. `at` is the place to point at, if that is another one."""

    path: Path
    problem: str
    expected: str = ""
    hint: str = ""
    weight: Weight = "error"
    on_key: bool = False
    at: Path | None = None


class Index:
    """The document's mappings by their kind, and every id that can be referred to."""

    def __init__(self, root: Node) -> None:
        data = root.value if isinstance(root.value, dict) else {}
        self.root = root
        self.data: dict[str, Any] = data
        self.contacts = list(mappings(data, "contacts"))
        self.severities = list(mappings(data, "severities"))
        self.probes = [*mappings(data, "health_checks"), *mappings(data, "probes")]
        self.database_checks = list(mappings(data, "database_checks"))
        self.metrics = list(mappings(data, "metrics"))
        self.vendors = list(mappings(data, "vendors"))
        self.deployments = mapping(data.get("deployments"))
        self.issues = list(mappings(data, "issues"))
        self.procedures = list(mappings(data, "procedures"))
        self.templates = list(mappings(data, "templates"))
        self.checklist = list(mappings(data, "checklist"))
        self.escalation = mapping(data.get("escalation"))
        self.levels = list(mappings(self.escalation, "levels", ("escalation",)))
        self.inputs: list[Place] = [
            (("inputs", name), value)
            for name, value in mapping(data.get("inputs")).items()
            if isinstance(value, dict)
        ]
        self.symptoms = list(self._of_issues("symptoms"))
        self.resolutions = list(self._of_issues("resolutions"))
        self.follow_ups = list(self._of_issues("follow_up"))
        self.signals = list(self._of_issues("signals"))
        self.steps = [
            *self._of_issues("diagnosis"),
            *(step for path, item in self.resolutions for step in mappings(item, "steps", path)),
            *(step for path, item in self.procedures for step in mappings(item, "steps", path)),
        ]
        self.input_names = list(mapping(data.get("inputs")))

    def _of_issues(self, key: str) -> Iterator[Place]:
        for path, issue in self.issues:
            yield from mappings(issue, key, path)


def mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is a mapping, else an empty mapping."""
    return value if isinstance(value, dict) else {}


def texts(value: Any) -> list[tuple[int, str]]:
    """Return the texts of a list, each with its index."""
    return [(i, x) for i, x in enumerate(value) if isinstance(x, str)] if isinstance(value, list) else []


def mappings(parent: dict[str, Any], key: str, path: Path = ()) -> Iterator[Place]:
    """Yield the mappings in the list under a key, each with its path."""
    value = parent.get(key)
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield (*path, key, index), item


def ids(places: Iterable[Place]) -> list[str]:
    """Return the ids of the mappings that have one."""
    return [item["id"] for _, item in places if isinstance(item.get("id"), str)]


def number(value: Any) -> float | None:
    """Return the value if it is a number, else None."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def unknown(path: Path, word: str, what: str, known: list[str]) -> Breach:
    """Make the breach for a reference that leads nowhere."""
    near = nearest(word, known)
    few = f"one of {', '.join(known)}" if 0 < len(known) <= 12 and not near else ""
    return Breach(path, f"there is no {what} {show(word)}", few, near)
