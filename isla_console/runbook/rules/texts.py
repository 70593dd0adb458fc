"""Texts that are read by a machine, and values that must stay secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from isla_console.runbook import patterns as patterns_module
from isla_console.runbook import values
from isla_console.runbook.findings import Path, nearest, show
from isla_console.runbook.model import TEMPLATE_FIELDS
from isla_console.runbook.rules.document import Breach, Index, mapping, mappings, texts
from isla_console.text.plain import plain

_OPEN = re.compile(r"\[[^\[\]\n]+\]|\{[^{}\n]+\}")
"""What a template leaves open: a piece in brackets or braces."""
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""A moment before which a span can lie: which one does not matter to whether it is a time."""


def patterns(index: Index) -> Iterator[Breach]:
    """Regular expressions compile, and have nothing with which one could run for ever."""
    for path, item in index.inputs:
        yield from _regex((*path, "pattern"), item.get("pattern"))
    for path, probe in index.probes:
        yield from _regex((*path, "expect_text"), probe.get("expect_text"))
        for name, pattern in mapping(probe.get("expect_headers")).items():
            yield from _regex((*path, "expect_headers", name), pattern)
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
            return
        what, instead = patterns_module.unsupported(value)
        if what:
            yield Breach(path, f"the pattern has {what}, which RE2 leaves out", instead)


def defaults(index: Index) -> Iterator[Breach]:
    """A default is of its input's type, and fits its pattern."""
    for path, item in index.inputs:
        default, pattern, kind = item.get("default"), item.get("pattern"), str(item.get("type", "text"))
        if not isinstance(default, str):
            continue
        wanted = values.wrong_type(kind, values.at(kind, default, _ANY_TIME))
        if wanted:
            yield Breach((*path, "default"), f"{show(default)} does not fit", wanted)
        elif isinstance(pattern, str) and not _fits(pattern, default):
            problem = f"{show(default)} does not match the input's own pattern"
            yield Breach((*path, "default"), problem, plain(pattern))


def _fits(pattern: str, default: str) -> bool:
    """Return whether a default fits, as far as that is known without RE2, which takes a while to load."""
    if (
        patterns_module.unsupported(pattern)[0]
        or not patterns_module.is_simple(pattern)
        or len(default) > 200
    ):
        return True  # said already, or left to `isla-console check`
    try:
        return re.fullmatch(pattern, default) is not None
    except (re.error, OverflowError, RecursionError):
        return True


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
        literal = [piece for _, piece in texts(template.get("literal"))]
        for piece in dict.fromkeys(_OPEN.findall(text)):
            if piece not in declared and piece not in literal:
                near = nearest(piece[1:-1].replace(" ", "_"), TEMPLATE_FIELDS)
                wanted = f"it under placeholders, as {near or 'one of ' + ', '.join(TEMPLATE_FIELDS)}"
                yield Breach(
                    (*path, "text"), f"{show(piece)} is not declared", f"{wanted}; or under literal", near
                )
        for place, piece in texts(template.get("literal")):
            if piece not in text:
                yield Breach((*path, "literal", place), f"{show(piece)} does not occur in the text")
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


RULES = (patterns, defaults, expressions, secrets, placeholders, shares)
