"""Secrets taken out of text, before it is stored or shown.

There are two sorts: values that were declared secret, in every spelling in which they usually travel, and
text that looks like a secret whoever it belongs to. One `Redactor` serves all of a console's output, so that
a secret typed for one step is also hidden in the output of another. `redact` is for a server's answer, with
the secrets that it was sent; `redact_statement` is for a statement in the journal.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

from isla_console.settings.secret import MASK, SHORTEST, Secret
from isla_console.text.spellings import spellings

Looks = tuple[re.Pattern[str], ...]
"""Patterns of secrets: the group `secret` of a match is one, or the whole match without such a group."""

SHAPES: Final[Looks] = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i)\b(?:bearer|basic)\s+(?P<secret>[A-Za-z0-9._~+/=-]{12,})",
        r"\bwhsec_[A-Za-z0-9+/=_-]{6,}",
        r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{6,}",
        r"\bsb_secret_[A-Za-z0-9_-]{6,}",
        r"\bsbp_[A-Za-z0-9_]{12,}",
        r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{16,}|\bgithub_pat_[A-Za-z0-9_]{16,}",
        r"\bxox[abeprs]-[A-Za-z0-9-]{8,}",
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        r"\bya29\.[A-Za-z0-9._-]{10,}",
        r"\bAIza[A-Za-z0-9_-]{30,}",
        r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
        r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{0,200}:(?P<secret>[^\s/\"']{1,400})@",
        r"(?i)postgres(?:ql)?://[^:@\s/']*:(?P<secret>[^@\s']+)@",
        # Whether a backslash escapes the quote behind it, only the server knows: both readings are hidden.
        r"(?i)password\s*=?\s*(?:e|n|u&)?'(?P<secret>(?:[^']|'')+)'",
        r"(?i)password\s*=?\s*(?:e|n|u&)?'(?P<secret>(?:[^'\\]|''|\\[\s\S])+)'",
        r"(?i)password\s*=?\s*\$(?P<tag>\w*)\$(?P<secret>[\s\S]+?)\$(?P=tag)\$",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    )
)
"""What is a secret wherever it is found."""

_GUESSES: Final[Looks] = tuple(
    re.compile(pattern)
    for pattern in (
        # The name of a secret, then its value.
        r"(?i)\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?P<secret>(?:(?:bearer|basic|token|oauth)\s+)?[^\s\"',;}]+)",
        r"(?i)\b(?:x-api-key|api[_-]?key|apikey|x-vercel-token|set-cookie|cookie)[\"']?\s*[:=]\s*[\"']?"
        r"(?P<secret>[^\s\"',;}]{6,})",
        r"(?i)\b(?:[a-z0-9_-]*(?:password|passwd|pwd|secret|token|private[_-]?key))[\"']?\s*[:=]\s*[\"']?"
        r"(?P<secret>[^\s\"',;&}]{4,})",
    )
)
LOOKS: Final[Looks] = (*_GUESSES, *SHAPES)
"""What is a secret wherever it is found, or because of the name in front of it."""

_NAMES = re.compile(
    r"(?i)(?:password|passwd|pwd|secret|token|private[_-]?key|api[_-]?key|authorization|cookie)$"
)
"""Names of columns and keys whose values are secrets, whatever they look like."""

LONGEST_LOOK = 8192
"""Characters beyond a cut that are searched, so that a secret across the cut is seen whole."""


class Redactor:
    """Hides secrets in text. `add` takes those that are typed later; none is ever forgotten."""

    def __init__(
        self, secrets: Iterable[Secret | str] = (), *, looks: Looks = LOOKS, shortest: int = SHORTEST
    ) -> None:
        """Start with some secrets.

        Args:
            secrets: Values to hide, however they are spelt.
            looks: Patterns of what else is taken for a secret.
            shortest: The shortest declared secret that is hidden, in characters.
        """
        self._looks = looks
        self._shortest = shortest
        self._needles: set[str] = set()
        self._patterns: list[re.Pattern[str]] = []
        self._names: dict[str, str] = {}
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret | str | None) -> None:
        """Hide this value from now on, however it is spelt."""
        text = secret.reveal() if isinstance(secret, Secret) else secret
        fresh = {form for form in _forms(text or "") if len(form) >= self._shortest} - self._needles
        if fresh:
            self._needles |= fresh
            ways = (way for form in sorted(fresh, key=len, reverse=True) for way in spellings(form))
            self._patterns.append(re.compile("|".join(ways)))
            self._names.clear()

    def sure(self) -> Redactor:
        """Return one that hides the same secrets, also later ones, and of looks only what is one for sure.

        It is for what people wrote, which must still be readable.
        """
        other = copy.copy(self)
        other._looks, other._names = SHAPES, {}
        return other

    def text(self, text: str) -> str:
        """Return `text` with bullets for every secret in it."""
        return self.cut(text, len(text))

    def name(self, text: str) -> str:
        """Return a column's name, redacted; cached, because the same few come with every row."""
        found = self._names.get(text)
        if found is None:
            found = self.text(text)
            if len(self._names) < 1000:
                self._names[text] = found
        return found

    def cut(self, text: str, size: int, name: str = "") -> str:
        """Return the first `size` characters of `text`, redacted; a secret across the cut is hidden whole.

        `name` is the key whose value the text is: if the key names a secret, the whole value is hidden.
        """
        if len(text) >= SHORTEST and _NAMES.search(name):
            return MASK
        return self.window(text[: size + LONGEST_LOOK], 0, size)

    def window(self, text: str, start: int, stop: int) -> str:
        """Return `text` from `start` to `stop`, redacted; a secret across either edge is hidden whole."""
        parts: list[str] = []
        place = start
        for begins, ends in self._spans(text):
            if ends <= start:
                continue
            if begins >= stop:
                break
            parts += [text[place:begins], MASK]
            place = max(place, ends)
        if place < stop:
            parts.append(text[place:stop])
        return "".join(parts)

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return the spans to hide, in order, without overlaps."""
        merged: list[tuple[int, int]] = []
        for start, stop in sorted(self._found(text)):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
            elif stop > start:
                merged.append((start, stop))
        return merged

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        for pattern in self._patterns:
            yield from (match.span() for match in pattern.finditer(text))
        for look in self._looks:
            group = "secret" if "secret" in look.groupindex else 0
            for match in look.finditer(text):
                if match[group] != MASK:
                    yield match.span(group)


def redact(text: str, *secrets: Secret, shortest: int = SHORTEST) -> str:
    """Return a server's words without the secrets given and without what looks like a secret."""
    return redactor_of(secrets, shortest).text(text)


@lru_cache(maxsize=64)
def redactor_of(secrets: tuple[Secret, ...], shortest: int = SHORTEST) -> Redactor:
    """Return the redactor of a few secrets; cached, because making one takes milliseconds for each."""
    return Redactor(secrets, looks=SHAPES, shortest=shortest)


def redact_statement(sql: str) -> str:
    """Return a statement for the journal, without the passwords and keys in it.

    What merely might be a secret stays: the statement must still be recognizable as the one that was run.
    """
    return redactor_of(()).text(sql)


def _forms(secret: str) -> set[str]:
    """Return a secret whole and line by line, and the password of an address."""
    forms = {secret, secret.strip(), *(line.strip() for line in secret.splitlines() if len(line) > 7)}
    return forms | _passwords(secret) if "://" in secret else forms


def _passwords(address: str) -> set[str]:
    """Return every spelling of an address' password; an unescaped @, : or # in it gives several."""
    found: set[str] = set()
    rest = address.partition("://")[2]
    for userinfo in (rest.rpartition("@")[0], rest.partition("/")[0].rpartition("@")[0]):
        found.add(userinfo.partition(":")[2])
    for key, _, value in (pair.partition("=") for pair in address.partition("?")[2].split("&")):
        if "password" in key:
            found.add(value)
    with contextlib.suppress(ValueError):
        found.add(urlsplit(address).password or "")
    return found | {unquote(password) for password in found}
