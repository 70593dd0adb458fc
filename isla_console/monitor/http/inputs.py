"""The runbook's inputs with their values: fills in `${NAME}`, builds requests, says what is not set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from isla_console.monitor.http.prober import HttpCheck
from isla_console.runbook.templates import fill, variables
from isla_console.settings.resolve import Settings
from isla_console.settings.secret import Secret

if TYPE_CHECKING:
    from isla_console.runbook.model import Input


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with its inputs in place. `missing` lists the variables that are not set."""

    text: str
    missing: tuple[str, ...]
    optional_missing: bool
    secrets: tuple[Secret, ...]


class Inputs:
    """The runbook's inputs with their values from the configuration."""

    def __init__(self, declared: Mapping[str, Input], settings: Settings) -> None:
        self._declared = declared
        self._settings = settings

    def fill(self, template: str, *, in_url: bool) -> Filled:
        """Replace each `${NAME}`; in a URL, a value that is not itself an address is percent-encoded."""
        missing: list[str] = []
        secrets: list[Secret] = []
        optional_missing = False

        def value_of(name: str) -> str:
            nonlocal optional_missing
            declared = self._declared.get(name)
            variable = (declared.env if declared else None) or name
            value = self._value(declared, variable)
            if value is None:
                if declared is not None and declared.optional:
                    optional_missing = True
                else:
                    missing.append(variable)
                return ""
            if declared is not None and declared.is_secret:
                secrets.append(value)
            text = value.reveal().strip()
            if not in_url:
                return text
            if declared is not None and declared.type == "url":
                return text.rstrip("/")
            return quote(text, safe="")

        text = fill(template, value_of)
        return Filled(text, tuple(dict.fromkeys(missing)), optional_missing, tuple(secrets))

    def _value(self, declared: Input | None, variable: str) -> Secret | None:
        if (value := self._settings.secret(variable)) is not None:
            return value
        if declared is not None and declared.default:
            return Secret(declared.default)
        return None

    def missing_text(self, unset: Iterable[str]) -> str:
        """Return what to do about unset variables: `set A and B`, or why A has no value."""
        names = list(dict.fromkeys(unset))
        problems = [problem for name in names if (problem := self._settings.problem(name))]
        return "; ".join(problems) if problems else f"set {' and '.join(names)}"

    def secret_variables(self, templates: Iterable[str]) -> str:
        """Return the variables that hold the secrets in these templates, for people."""
        return self._variables(templates, secret=True)

    def _variables(self, templates: Iterable[str], *, secret: bool = False) -> str:
        names = dict.fromkeys(name for template in templates for name in variables(template))
        found = [(name, self._declared.get(name)) for name in names]
        return " and ".join(
            (one.env if one else "") or name for name, one in found if not secret or (one and one.secret)
        )

    def request(
        self,
        id: str,
        method: str,
        url: str,
        headers: Mapping[str, str],
        timeout_s: float,
        *,
        query: Mapping[str, str] | None = None,
    ) -> tuple[HttpCheck | None, tuple[str, ...]]:
        """Return the request with its inputs in place, or None and the variables that are missing."""
        address = self.fill(url, in_url=True)
        missing = list(address.missing)
        secrets = list(address.secrets)
        filled: list[tuple[str, Secret]] = []
        for name, template in headers.items():
            header = self.fill(template, in_url=False)
            missing += header.missing
            secrets += header.secrets
            if not header.optional_missing:
                filled.append((name, Secret(header.text)))
        asked: list[tuple[str, str]] = []
        for name, template in (query or {}).items():
            value = self.fill(template, in_url=False)
            missing += value.missing
            secrets += value.secrets
            if not value.optional_missing:
                asked.append((name, value.text))
        if missing:
            return None, tuple(dict.fromkeys(missing))
        full = (
            f"{address.text}{'&' if '?' in address.text else '?'}{urlencode(asked)}"
            if asked
            else address.text
        )
        check = HttpCheck(
            id, method, Secret(full), timeout_s, tuple(filled),
            hidden=tuple(secrets), address_of=self._variables([url]),
            headers_of=self._variables(headers.values()),
        )  # fmt: skip
        return check, ()
