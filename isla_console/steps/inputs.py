"""The values that steps need: where each comes from, whether it is valid, and how long it is kept.

A value is what was typed or picked for this incident, otherwise the setting that the runbook names, otherwise
the default. Secrets are held as `Secret` and leave the process only to the step that needs them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from isla_console.runbook import patterns, shell
from isla_console.runbook.steps import Input, Step
from isla_console.runbook.templates import variables
from isla_console.runbook.values import at, wrong_type
from isla_console.settings.resolve import Settings
from isla_console.settings.secret import MASK, Secret
from isla_console.text.redact import Redactor
from isla_console.text.times import iso_moment

_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class Value:
    """A value and where it came from: `environment`, `default`, `typed` or `picked from <step>`."""

    name: str
    value: Secret
    origin: str
    secret: bool

    @property
    def shown(self) -> str:
        """The value, or bullets for a secret."""
        return MASK if self.secret else self.value.reveal()


class Inputs:
    """The values of the runbook's inputs; `remember` keeps what was typed, for one incident at a time."""

    def __init__(self, declared: Mapping[str, Input], settings: Settings, redactor: Redactor) -> None:
        self._settings = settings
        self._redactor = redactor
        self._typed: dict[str, Value] = {}
        self.declare(declared)

    def declare(self, declared: Mapping[str, Input]) -> None:
        """Take a runbook's inputs, at the start and when it was read again."""
        self._declared = declared
        for item in declared.values():
            if item.is_secret and item.env:
                self._redactor.add(self._settings.secret(item.env))

    @property
    def declared(self) -> Mapping[str, Input]:
        """The runbook's inputs, by name."""
        return self._declared

    def of(self, step: Step) -> tuple[Input, ...]:
        """Return the inputs that a step uses."""
        return tuple(self._declared[name] for name in step_inputs(step, self._declared))

    def find(self, name: str, now: datetime) -> Value | None:
        """Return an input's value now; None when it has none yet."""
        item = self._declared[name]
        secret = item.is_secret
        if (typed := self._typed.get(name)) is not None:
            return typed
        if item.env and (found := self._settings.secret(item.env)) is not None:
            return Value(name, found, self._settings.origin(item.env), secret)
        if item.default is not None:
            return Value(name, Secret(at(item.type, item.default, now)), "default", secret)
        return None

    def missing(self, step: Step, now: datetime) -> tuple[Input, ...]:
        """Return the inputs to ask for before the step can run; an optional one is never asked for."""
        return tuple(item for item in self.of(step) if not item.optional and self._unusable(item, now))

    def values(self, step: Step, now: datetime) -> dict[str, str]:
        """Return every value that the step uses, revealed: for the runner alone."""
        found = {item.name: self.find(item.name, now) for item in self.of(step)}
        return {name: value.value.reveal() for name, value in found.items() if value is not None}

    def remember(self, name: str, text: str, origin: str) -> None:
        """Keep what a person typed or picked; a secret is hidden everywhere from now on."""
        item = self._declared[name]
        if item.is_secret:
            self._redactor.add(text)
        self._typed[name] = Value(name, Secret(text), origin, item.is_secret)

    def forget(self) -> None:
        """Forget what was typed, because another incident must not use it."""
        self._typed.clear()

    def recall(self, said: Iterable[Mapping[str, str]]) -> None:
        """Take the values that the incident's journal has, oldest first; it never has secrets."""
        for values in said:
            for name, text in values.items():
                item = self._declared.get(name)
                if item is not None and not item.is_secret and not problem(item, text):
                    self._typed[name] = Value(name, Secret(text), "this incident", False)

    def public(self, step: Step) -> dict[str, str]:
        """Return what was typed or picked for the step, without secrets: what the journal keeps."""
        return {
            item.name: self._typed[item.name].shown
            for item in self.of(step)
            if item.name in self._typed and not item.is_secret
        }

    def _unusable(self, item: Input, now: datetime) -> bool:
        value = self.find(item.name, now)
        return value is None or bool(problem(item, value.value.reveal()))


def step_inputs(step: Step, declared: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the declared inputs that a step uses, in the order in which they occur."""
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
        names += shell.names(step.run)
    names += step.params
    return tuple(name for name in dict.fromkeys(names) if name in declared)


def problem(item: Input, text: str) -> str:
    """Return what is wrong with a value; "" when it is valid. Never quotes a secret."""
    if not text:
        return f"{item.title}: a value is needed"
    if len(text) > _LONGEST:
        return f"{item.title}: longer than {_LONGEST} characters"
    if "\0" in text:
        return f"{item.title}: a NUL is in it"
    if item.pattern is not None and not patterns.matches_whole(item.pattern, text):
        return f"{item.title}: {_such(item, text)} does not match {item.pattern}"
    wrong = wrong_type(item.type, text)
    return f"{item.title}: expected {wrong}" if wrong else ""


def typed(item: Input, text: str, now: datetime) -> str:
    """Return what a person typed as it is kept: stripped, and a span made into a time."""
    return at(item.type, text if item.is_secret else text.strip(), now)


def bound(item: Input, text: str) -> int | str | date | datetime:
    """Return a value as an SQL parameter of the declared type."""
    if item.type == "int":
        return int(text)
    if item.type == "date":
        return date.fromisoformat(text)
    if item.type == "datetime":
        return iso_moment(text)
    return text


def offers(rows: Sequence[Mapping[str, object]], column: str) -> list[str]:
    """Return the values of a column of an earlier step's rows, each once."""
    return list(dict.fromkeys(str(row[column]) for row in rows if row.get(column) is not None))


def _such(item: Input, text: str) -> str:
    return "it" if item.is_secret else repr(text[:60])
