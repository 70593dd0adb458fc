"""Texts that are read by a machine, and values that must stay secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from isla_console.runbook.findings import Path, show
from isla_console.runbook.rules.document import Breach, Index, mapping, mappings
from isla_console.text.plain import plain

_BRACKETS = re.compile(r"\[[^\[\]\n]+\]")


def patterns(index: Index) -> Iterator[Breach]:
    """Regular expressions compile, and a default fits its own."""
    for path, item in index.inputs:
        pattern, default = item.get("pattern"), item.get("default")
        broken = list(_regex((*path, "pattern"), pattern))
        yield from broken
        if (
            isinstance(pattern, str)
            and isinstance(default, str)
            and not broken
            and not re.fullmatch(pattern, default)
        ):
            yield Breach(
                (*path, "default"), f"{show(default)} does not match the input's own pattern", plain(pattern)
            )
    for path, step in index.steps:
        yield from _regex((*path, "expect", "pattern"), mapping(step.get("expect")).get("pattern"))
        for at, seen in mappings(step, "seen", path):
            yield from _regex((*at, "pattern"), seen.get("pattern"))


def _regex(path: Path, value: Any) -> Iterator[Breach]:
    if isinstance(value, str):
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            yield Breach(path, f"no regular expression: {plain(str(error))}")


def expressions(index: Index) -> Iterator[Breach]:
    """JMESPath expressions compile."""
    places: list[tuple[Path, Any]] = [((*path, "table"), step.get("table")) for path, step in index.steps]
    for path, metric in index.metrics:
        places.append(((*path, "source", "select"), mapping(metric.get("source")).get("select")))
    places += [((*path, "healthy"), probe.get("healthy")) for path, probe in index.probes]
    places += [(("deployments", key), index.deployments.get(key)) for key in ("rows", "serves")]
    wanted = [(path, value) for path, value in places if isinstance(value, str)]
    if not wanted:
        return
    import jmespath
    from jmespath.exceptions import JMESPathError

    for path, value in wanted:
        try:
            jmespath.compile(value)
        except (JMESPathError, RecursionError) as error:
            first = str(error).split("\n")[0].removeprefix("Invalid jmespath expression: ").rstrip(": ")
            yield Breach(path, f"no JMESPath: {plain(first)}")


def secrets(index: Index) -> Iterator[Breach]:
    """What is secret is marked so, and never stands in the file."""
    for path, item in index.inputs:
        if item.get("type") in ("secret", "dsn") and item.get("secret") is not True:
            yield Breach(
                path, f"an input of type {item['type']} is not marked secret", "secret: true", on_key=True
            )
        if item.get("secret") is True and item.get("default") is not None:
            yield Breach(
                (*path, "default"), "a secret stands in the runbook", "env: the variable that holds it"
            )
        if "name" in item:
            yield Breach((*path, "name"), "the name of an input is the key it stands under", on_key=True)


def placeholders(index: Index) -> Iterator[Breach]:
    """What a template leaves open is declared, and what is declared occurs."""
    for path, template in index.templates:
        text, declared = template.get("text"), mapping(template.get("placeholders"))
        if not isinstance(text, str):
            continue
        for bracket in dict.fromkeys(_BRACKETS.findall(text)):
            if bracket not in declared:
                yield Breach((*path, "text"), f"{show(bracket)} is not declared", "it under placeholders")
        for piece in declared:
            if piece not in text:
                yield Breach(
                    (*path, "placeholders", piece), f"{show(piece)} does not occur in the text", on_key=True
                )


def shares(index: Index) -> Iterator[Breach]:
    """A severity's share of users can exist."""
    for path, severity in index.severities:
        start, below = severity.get("affected_from"), severity.get("affected_below")
        if isinstance(start, int | float) and isinstance(below, int | float) and below <= start:
            yield Breach((*path, "affected_below"), f"no share is from {start:g} and below {below:g} %")


RULES = (patterns, expressions, secrets, placeholders, shares)
