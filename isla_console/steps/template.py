"""Inputs put into the places of a step, each escaped for the place it stands in.

A value never becomes anything but a value: in a path it is one segment, in JSON one string, in a header
one line. Where that cannot be had, the value is refused.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from isla_console.runbook.fields import variables
from isla_console.runbook.steps import Step

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_SHELL_NAME = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\}|([A-Za-z_][A-Za-z0-9_]*))")
_SIMPLE = re.compile(r"[A-Za-z0-9_.,:/@%+=-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EVALUATES = re.compile(r"(?:^|[\s;&|(])(?:eval|source|\.|xargs|(?:ba|z|da|k)?sh\s+-\w*c)\s")


class PlaceError(ValueError):
    """A value cannot stand where it is wanted; the message says which, where and why."""


def step_inputs(step: Step, declared: Mapping[str, Any]) -> tuple[str, ...]:
    """The declared inputs that a step uses, in the order in which they occur."""
    names: list[str] = []
    if step.http is not None:
        http = step.http
        texts = [http.url, *http.query.values(), *http.headers.values(), *(http.form or {}).values()]
        if http.body is not None:
            texts.append(http.body if isinstance(http.body, str) else json.dumps(http.body))
        names += [name for text in texts for name in variables(text)]
    if step.connect:
        names.append(step.connect)
    if step.run and step.kind == "shell":
        names += [braced or bare for braced, bare in _SHELL_NAME.findall(step.run)]
    names += step.params
    return tuple(name for name in dict.fromkeys(names) if name in declared)


def needed_in(text: str, values: Mapping[str, str]) -> bool:
    """Whether every input that a template names has a value."""
    return all(name in values for name in variables(text))


def into_url(template: str, values: Mapping[str, str]) -> str:
    """A URL. An input at its very beginning is an address of its own; any other is one path segment.

    Raises:
        PlaceError: a value is no address, or would move the path.
    """
    first = _VARIABLE.match(template)

    def put(match: re.Match[str]) -> str:
        name, value = match[1], values[match[1]]
        if first is not None and match.start() == 0:
            return _address(name, value)
        if value in {"", ".", ".."}:
            raise PlaceError(f"{name}: {value!r} is no part of a path")
        return quote(value, safe="")

    url = _VARIABLE.sub(put, template)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise PlaceError(f"{url!r} is no http:// or https:// address")
    return url


def into_header(name: str, template: str, values: Mapping[str, str]) -> str:
    """One header line.

    Raises:
        PlaceError: a value has control characters, or ones that no header carries.
    """
    value = _VARIABLE.sub(lambda match: values[match[1]], template)
    if _CONTROL.search(value):
        raise PlaceError(f"header {name}: control characters cannot stand in a header")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise PlaceError(f"header {name}: only Latin-1 can stand in a header") from None
    return value


def into_text(template: str, values: Mapping[str, str]) -> str:
    """A query or form value: the client encodes it as a whole."""
    return _VARIABLE.sub(lambda match: values[match[1]], template)


def into_json(body: Any, values: Mapping[str, str]) -> Any:
    """The strings of a JSON body; its shape never changes."""
    if isinstance(body, str):
        return into_text(body, values)
    if isinstance(body, dict):
        return {key: into_json(value, values) for key, value in body.items()}
    if isinstance(body, list):
        return [into_json(value, values) for value in body]
    return body


def into_body(template: str, values: Mapping[str, str]) -> str:
    """A body of text: JSON gets its strings escaped, any other only values without special characters.

    Raises:
        PlaceError: a value has characters whose meaning in that body is not known.
    """
    escape: Callable[[str, str], str] = _simple
    if template.lstrip().startswith(("{", "[")):
        escape = _json_string
    return _VARIABLE.sub(lambda match: escape(match[1], values[match[1]]), template)


def check_shell(script: str, name: str, value: str, *, pattern: str | None) -> None:
    """A shell step gets the value in the environment; here is held that it also stays a value there.

    Raises:
        PlaceError: it has a NUL, begins with a dash where its pattern does not ask for one, or the script
            uses it where the shell would take it apart or evaluate it.
    """
    if "\0" in value:
        raise PlaceError(f"{name}: a NUL cannot be handed to a command")
    if value.startswith("-") and not pattern:
        raise PlaceError(f"{name}: a leading dash would be taken for an option")
    if _SIMPLE.fullmatch(value):
        return
    if _EVALUATES.search(script):
        raise PlaceError(f"{name}: the command evaluates text again, so only plain values are given to it")
    if _is_bare(script, name):
        raise PlaceError(f"{name}: the command uses it without quotes, so only plain values are given to it")


def _is_bare(script: str, name: str) -> bool:
    """Whether `$name` occurs outside double quotes (or inside backquotes), where the shell splits it."""
    quoted = single = False
    place = 0
    while place < len(script):
        char = script[place]
        if char == "\\" and not single:
            place += 2
            continue
        if char == "'" and not quoted:
            single = not single
        elif char == '"' and not single:
            quoted = not quoted
        elif char == "$" and not single and not quoted:
            match = _SHELL_NAME.match(script, place)
            if match is not None and name in (match[1], match[2]):
                return True
        place += 1
    return False


def _address(name: str, value: str) -> str:
    parts = urlsplit(value.rstrip("/"))
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
