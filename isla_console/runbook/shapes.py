"""The errors pydantic found, in plain words and at their place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from isla_console.runbook.findings import Path, nearest, show
from isla_console.runbook.model import Input, Runbook
from isla_console.runbook.nodes import Node
from isla_console.runbook.rules.document import Breach
from isla_console.runbook.watch import HOST_PORT
from isla_console.text.plain import plain

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "date_type": "a date such as 2026-11-23, or null",
    "date_parsing": "a date such as 2026-11-23, or null",
    "date_from_datetime_parsing": "a date such as 2026-11-23, or null",
    "date_from_datetime_inexact": "a date such as 2026-11-23, or null",
}
_PATTERNS = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "an id: letters, digits, dots, - and _, at most 64",
    r"^[A-Z][A-Z0-9_]*$": "a name in upper case: LETTERS, digits and _",
    HOST_PORT: "host:port",
}
_WANTED = {
    "contacts": "at least one person to call: {id, role, contact, when}",
    "severities": "at least one: {id, name, rule}",
    "checklist": "at least one thing to do before an incident is closed: {id, text}",
    "levels": "at least one: {id, range, from_min, targets}",
    "targets": "at least one",
    "nag_min": "minutes, such as [5, 10, 15]",
    "ladder": "for each level its minutes, or null for by hand only",
    "by_severity": "for each severity its ladder, cadence and soak",
    "steps": "at least one step",
    "expect_status": "at least one status, such as [200]",
}
"""What to write in a list or mapping that must not be empty, by its key."""
_UNITS = {"min": " minutes", "s": " seconds", "h": " hours"}


def breaches(error: ValidationError, root: Node) -> Iterator[Breach]:
    """Yield each of pydantic's errors once, with the path as the file has it."""
    seen: set[tuple[Path, str, str]] = set()
    for details in error.errors(include_url=False):
        path, absent = _real_path(details["loc"], root)
        kind = details["type"]
        if kind == "too_short" and details["input"]:
            continue  # its items have errors of their own, and so do not count
        if (path, absent, kind) not in seen:
            seen.add((path, absent, kind))
            yield _breach(details, path, absent, root)


def _real_path(loc: Path, root: Node) -> tuple[Path, str]:
    """Return the path without pydantic's own marks (`[key]`, a union's members), and the missing key."""
    path: list[str | int] = []
    node = root
    for part in loc:
        found = node.child(part)
        if found is None:
            return tuple(path), str(part)
        path.append(part)
        node = found
    return tuple(path), ""


def _breach(details: ErrorDetails, path: Path, absent: str, root: Node) -> Breach:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "missing":
        # A missing key has no place: point at the mapping that lacks it.
        return Breach((*path, absent), f"the key `{plain(absent)}` is missing", at=path)
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1])
        near = nearest(path[-1], known)
        expected = "" if near else f"one of {', '.join(known)}"
        return Breach(path, "unknown key", expected, near, on_key=True)
    if kind == "literal_error":
        return _not_a_choice(path, value, str(context["expected"]))
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        if absent == "[key]":
            return Breach(
                path, f"{show(path[-1])} cannot be a name", _PATTERNS.get(pattern, pattern), on_key=True
            )
        return Breach(path, f"{show(value)} does not fit", _PATTERNS.get(pattern, f"text matching {pattern}"))
    if kind == "too_short":
        return Breach(path, "nothing is in it", _WANTED.get(str(path[-1]), "at least one"))
    if kind == "too_long":
        return Breach(path, f"it has {context['actual_length']} entries", f"at most {context['max_length']}")
    if kind == "string_too_short":
        return Breach(path, "the text is empty", "some text")
    if kind == "string_too_long":
        return Breach(path, f"{show(value)} has {len(value)} characters", f"at most {context['max_length']}")
    if kind == "value_error":
        return Breach(path, f"{show(value)} does not fit", str(context["error"]))
    wanted = _KINDS.get(kind)
    if wanted is not None:
        if wanted == "text" and not isinstance(value, dict | list) and value is not None:
            return Breach(path, f"{show(value)} is {_type(value)}", f'text: write "{show(value)}" in quotes')
        return Breach(path, f"{show(value)} does not fit", wanted)
    limits = {"greater_than": "more than", "greater_than_equal": "at least", "less_than_equal": "at most"}
    if kind in limits:
        bound = next(iter(context.values()))
        name = next((part for part in reversed(path) if isinstance(part, str)), "")
        unit = _UNITS["min"] if "ladder" in path else _UNITS.get(name.rpartition("_")[2], "")
        unit = unit.removesuffix("s") if bound == 1 else unit
        return Breach(path, f"{show(value)} is out of range", f"{limits[kind]} {bound:,.15g}{unit}")
    return Breach(path, f"{show(value)} does not fit", plain(details["msg"]))


def _not_a_choice(path: Path, value: Any, expected: str) -> Breach:
    choices = expected.replace("'", "").replace(" or ", ", ").split(", ")
    if path == ("version",):
        return Breach(path, f"version {show(value)} is not known to this console", "version: 1")
    return Breach(
        path, f"{show(value)} is none of the choices", f"one of {', '.join(choices)}", nearest(value, choices)
    )


def _type(value: Any) -> str:
    return "true or false, not text" if isinstance(value, bool) else "a number"


def _known_keys(path: Path) -> list[str]:
    """Return the keys that the model has at a path."""
    known: Any = Runbook
    for part in path:
        known = next((found for one in _alternatives(known) if (found := _inside(one, part))), None)
    for one in _alternatives(known):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return [name for name in one.model_fields if (one, name) != (Input, "name")]
    return []


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation alone, without what only narrows it."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (Union, UnionType):
        return (annotation,)
    return tuple(get_args(one)[0] if get_origin(one) is Annotated else one for one in get_args(annotation))


def _inside(annotation: Any, part: str | int) -> Any:
    """Return the type behind a model's key, a list's index or a mapping's name; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return field.annotation if field else None
    if get_origin(annotation) is tuple and isinstance(part, int):
        return get_args(annotation)[0]
    return get_args(annotation)[1] if get_origin(annotation) is dict else None
