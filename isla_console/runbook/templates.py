"""`${NAME}` in the runbook's texts: which inputs a text names, and their values put into its places.

A value never becomes anything but a value: in a path it is one segment, in JSON one string, in a header
one line. Where that cannot be had, the value is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_SIMPLE = re.compile(r"[A-Za-z0-9_.,:/@%+=-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class PlaceError(ValueError):
    """A value cannot stand where it is wanted; the message says which, where and why."""


def variables(text: str) -> tuple[str, ...]:
    """Return the input names that a template refers to as `${NAME}`, in order, each once."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def fill(template: str, value: Callable[[str], str]) -> str:
    """Return the template with what `value` gives for each name in its place, escaped by then."""
    return _VARIABLE.sub(lambda match: value(match[1]), template)


def needed_in(text: str, values: Mapping[str, str]) -> bool:
    """Return whether every input that a template names has a value."""
    return all(name in values for name in variables(text))


def into_url(template: str, values: Mapping[str, str]) -> str:
    """Return a URL. An input at its very beginning is an address of its own; any other is one path segment.

    Raises:
        PlaceError: A value is not an address, or would change the path.
    """
    first = _VARIABLE.match(template)
    address = _address(first[1], values[first[1]]) if first is not None else ""
    rest = template[first.end() :] if first is not None else template

    def segment(name: str) -> str:
        value = values[name]
        if value in {"", ".", ".."}:
            raise PlaceError(f"{name}: {value!r} is no part of a path")
        return quote(value, safe="")

    url = address + fill(rest, segment)
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise PlaceError(f"{url!r} is no http:// or https:// address")
    return url


def into_header(name: str, template: str, values: Mapping[str, str]) -> str:
    """Return the value of one header line.

    Raises:
        PlaceError: a value has control characters, or ones that no header carries.
    """
    value = fill(template, values.__getitem__)
    if _CONTROL.search(value):
        raise PlaceError(f"header {name}: control characters cannot stand in a header")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise PlaceError(f"header {name}: only Latin-1 can stand in a header") from None
    return value


def into_text(template: str, values: Mapping[str, str]) -> str:
    """Return a query or form value: the client encodes it as a whole."""
    return fill(template, values.__getitem__)


def into_json(body: Any, values: Mapping[str, str]) -> Any:
    """Return a JSON body with its strings filled; its shape never changes."""
    if isinstance(body, str):
        return into_text(body, values)
    if isinstance(body, dict):
        return {key: into_json(value, values) for key, value in body.items()}
    if isinstance(body, list):
        return [into_json(value, values) for value in body]
    return body


def into_body(template: str, values: Mapping[str, str]) -> str:
    """Return a body of text: JSON gets its strings escaped, any other only values without special characters.

    Raises:
        PlaceError: a value has characters whose meaning in that body is not known.
    """
    escape: Callable[[str, str], str] = _simple
    if template.lstrip().startswith(("{", "[")):
        escape = _json_string
    return fill(template, lambda name: escape(name, values[name]))


def _split(url: str) -> SplitResult:
    """Return an address' parts, of one that is none as good as nothing."""
    try:
        return urlsplit(url)
    except ValueError:  # such as http://[::1
        return SplitResult("", "", "", "", "")


def _address(name: str, value: str) -> str:
    parts = _split(value.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise PlaceError(f"{name} is no http:// or https:// address")
    if parts.username is not None or re.search(r"[\s\x00-\x1f\x7f\\]", value):
        raise PlaceError(f"{name}: an address here has no user name, blanks or backslashes")
    return value.rstrip("/")


def _simple(name: str, value: str) -> str:
    if not _SIMPLE.fullmatch(value):
        raise PlaceError(f"{name}: only plain values can stand in a body that is no JSON")
    return value


def _json_string(name: str, value: str) -> str:
    return json.dumps(value)[1:-1]
