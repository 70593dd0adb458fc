"""A step has what its kind needs and nothing else; its effect is said; what differs says why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from isla_console.runbook.findings import Path, show
from isla_console.runbook.rules.document import Breach, Index, mapping

NEEDS = {"shell": "run", "sql": "run", "http": "http", "open": "url", "goto": "issue", "manual": "text"}
"""The key that says what a step of a kind does."""

ALLOWS: dict[str, frozenset[str]] = {
    "run": frozenset({"shell", "sql"}),
    "params": frozenset({"sql"}),
    "connect": frozenset({"shell"}),
    "http": frozenset({"http"}),
    "table": frozenset({"shell", "http"}),
    "times": frozenset({"shell", "sql", "http"}),
    "money": frozenset({"shell", "http"}),
    "url": frozenset({"open"}),
    "issue": frozenset({"goto"}),
    "cli": frozenset({"shell", "http"}),
    "expect": frozenset({"shell", "sql", "http"}),
    "seen": frozenset({"shell", "sql", "http"}),
    "timeout_s": frozenset({"shell", "sql", "http"}),
    "secret_output": frozenset({"shell", "sql", "http"}),
    "does": frozenset({"manual"}),
}
"""Keys that only some kinds have."""

RUNS = frozenset({"shell", "sql", "http"})
"""Kinds that reach production and have to say what they do to it."""


def kinds(index: Index) -> Iterator[Breach]:
    """What a step's kind needs is there, what it cannot use is not."""
    for path, step in index.steps:
        kind = step.get("kind")
        if not isinstance(kind, str) or kind not in NEEDS:
            continue
        need = NEEDS[kind]
        if need not in step:
            yield Breach((*path, need), f"a step of kind {kind} needs `{need}`", at=path)
        for key, allowed in ALLOWS.items():
            if key in step and kind not in allowed:
                having = " or ".join(sorted(allowed))
                yield Breach(
                    (*path, key), f"a step of kind {kind} has no `{key}`", f"kind: {having}", on_key=True
                )


def effects(index: Index) -> Iterator[Breach]:
    """What reaches production says what it does; what only points does nothing."""
    for path, step in index.steps:
        kind, effect = step.get("kind"), step.get("effect")
        if not isinstance(kind, str):
            continue
        if kind in RUNS and "effect" not in step:
            yield Breach(
                (*path, "effect"),
                f"a step of kind {kind} says its effect",
                "read, stream, write or destroy",
                at=path,
            )
        by_hand = kind == "manual" and effect in ("write", "destroy")
        if kind in NEEDS and kind not in RUNS and effect not in (None, "read") and not by_hand:
            yield Breach(
                (*path, "effect"),
                f"a step of kind {kind} runs nothing, so it cannot {show(effect)}",
                "no effect",
            )
        if effect == "destroy" and "blocked" not in step:
            for key, why in (("preview", "shows what it would touch"), ("undo", "says how to go back")):
                if key not in step and not (by_hand and key == "preview"):
                    yield Breach(path, f"a step that destroys has no `{key}`, which {why}", weight="warning")


def previews(index: Index) -> Iterator[Breach]:
    """A preview only reads, and is not the step itself."""
    effect_of = {
        step.get("id"): step.get("effect", "read")
        for _, step in index.steps
        if isinstance(step.get("id"), str)
    }
    for path, step in index.steps:
        preview = step.get("preview")
        if isinstance(preview, str) and effect_of.get(preview) in ("write", "destroy", "stream"):
            yield Breach(
                (*path, "preview"), f"{show(preview)} does not only read", "a step with effect: read"
            )


def reasons(index: Index) -> Iterator[Breach]:
    """What was changed or blocked says why, and what to do instead."""
    for path, step in index.steps:
        if "source" in step and "because" not in step:
            yield Breach(path, "`source` differs from what is done, without `because`", "why it differs")
        if "blocked" in step and "instead" not in step:
            yield Breach(path, "a blocked step has no `instead`", "what to do instead")
        if "instead" in step and "blocked" not in step:
            yield Breach(
                (*path, "instead"),
                "`instead` belongs to a blocked step",
                "`blocked`, with the reason",
                on_key=True,
            )


def requests(index: Index) -> Iterator[Breach]:
    """Requests go to a web address, and have one body or none."""
    for path, step in index.steps:
        http = mapping(step.get("http"))
        yield from _address((*path, "http"), http)
        yield from _address(path, step)
        if "body" in http and "form" in http:
            yield Breach((*path, "http", "form"), "a request has `body` or `form`, not both", on_key=True)
        for key in ("body", "form"):
            if key in http and http.get("method", "GET") in ("GET", "HEAD"):
                yield Breach(
                    (*path, "http", key), f"a GET or HEAD request has no `{key}`", "method: POST", on_key=True
                )
    for path, probe in index.probes:
        yield from _address(path, probe)
    for path, metric in index.metrics:
        yield from _address((*path, "source"), mapping(metric.get("source")))


def _address(path: Path, item: dict[str, Any]) -> Iterator[Breach]:
    url = item.get("url")
    if isinstance(url, str) and not url.strip().startswith(("http://", "https://", "${")):
        yield Breach((*path, "url"), f"{show(url)} is no web address", "https://… or ${NAME}…")


RULES = (kinds, effects, previews, reasons, requests)
