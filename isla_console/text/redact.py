"""Secrets taken out of text, before it is stored or shown.

Two sorts: values that were declared secret, in every spelling they usually travel in, and what looks like
a secret whoever it belongs to. One `Redactor` serves all of a console's output, so that a secret typed for
one step is also hidden in the output of another.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from isla_console.settings.secret import MASK, Secret

SHORTEST = 4
"""Characters under which a declared secret hides nothing and would riddle every line with bullets."""

_LOOKS = tuple(
    re.compile(pattern)
    for pattern in (
        # name, then what is hidden: the group "secret", or the whole match where there is none
        r"(?i)\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?P<secret>(?:(?:bearer|basic|token|oauth)\s+)?[^\s\"',;}]+)",
        r"(?i)\b(?:bearer|basic)\s+(?P<secret>[A-Za-z0-9._~+/=-]{12,})",
        r"(?i)\b(?:x-api-key|api[_-]?key|apikey|x-vercel-token|set-cookie|cookie)[\"']?\s*[:=]\s*[\"']?"
        r"(?P<secret>[^\s\"',;}]{6,})",
        r"(?i)\b(?:[a-z0-9_-]*(?:password|passwd|pwd|secret|token|private[_-]?key))[\"']?\s*[:=]\s*[\"']?"
        r"(?P<secret>[^\s\"',;&}]{4,})",
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
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    )
)

_NAMES = re.compile(
    r"(?i)(?:password|passwd|pwd|secret|token|private[_-]?key|api[_-]?key|authorization|cookie)$"
)
"""Names of a column or a key whose values are secrets whatever they look like."""

LONGEST_LOOK = 8192
"""Characters beyond a cut that are looked at, so that a secret across the cut is seen whole."""


class Redactor:
    """Knows what to hide. `add` takes what is typed later; nothing is ever forgotten."""

    def __init__(self, secrets: Iterable[Secret | str] = ()) -> None:
        self._needles: set[str] = set()
        self._patterns: list[re.Pattern[str]] = []
        self._names: dict[str, str] = {}
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret | str | None) -> None:
        """Hide this value from now on, however it is spelt."""
        text = secret.reveal() if isinstance(secret, Secret) else secret
        fresh = {form for form in _forms(text or "") if len(form) >= SHORTEST} - self._needles
        if fresh:
            self._needles |= fresh
            ways = (way for form in sorted(fresh, key=len, reverse=True) for way in _patterns(form))
            self._patterns.append(re.compile("|".join(ways)))
            self._names.clear()

    def text(self, text: str) -> str:
        """`text` with bullets for every secret in it."""
        return self.cut(text, len(text))

    def name(self, text: str) -> str:
        """A column's name, redacted; the same few come with every row."""
        found = self._names.get(text)
        if found is None:
            found = self.text(text)
            if len(self._names) < 1000:
                self._names[text] = found
        return found

    def cut(self, text: str, size: int, name: str = "") -> str:
        """The first `size` characters of `text`, redacted; a secret across the cut is hidden whole.

        `name` is the key that the text is the value of: where that is a secret's, nothing of it is left.
        """
        if len(text) >= SHORTEST and _NAMES.search(name):
            return MASK
        return self.window(text[: size + LONGEST_LOOK], 0, size)

    def window(self, text: str, start: int, stop: int) -> str:
        """The part of `text` from `start` to `stop`, redacted; the rest is looked at, so that a secret across
        either edge is hidden whole."""
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
        """What to hide, in order, without overlaps."""
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
        for look in _LOOKS:
            group = "secret" if "secret" in look.groupindex else 0
            for match in look.finditer(text):
                if match[group] != MASK:
                    yield match.span(group)


def _forms(secret: str) -> set[str]:
    """A secret whole, and line by line; of an address also its password."""
    forms = {secret, secret.strip(), *(line.strip() for line in secret.splitlines() if len(line) > 7)}
    if "://" in secret:
        try:
            password = urlsplit(secret).password
        except ValueError:
            password = None
        if password:
            forms |= {password, unquote(password)}
    return forms


_WRAPPED = r"[\s\x00\\n]*"
"""Between two characters of Base64, which tools wrap, and JSON writes the line end as \\n."""
_BACKSLASHES = r"\\\\*"


def _patterns(form: str) -> Iterator[str]:
    """Regular expressions for a text however it is spelt: percent-encoded (also twice), escaped for JSON, a
    shell, SQL or HTML, in Base64 or hexadecimal. Each begins with a plain character, for the sake of speed.
    """
    ways = [_ways(char) for char in form]
    rest = "".join(way[0] if len(way) == 1 else f"(?:{'|'.join(way)})" for way in ways[1:])
    for first in ways[0]:
        yield first + rest
    raw = form.encode("utf-8", "surrogateescape")
    if len(raw) >= 8:
        for encoded in dict.fromkeys(_base64(raw)):
            yield _WRAPPED.join(map(re.escape, encoded))
        for digits in (raw.hex(), raw.hex().upper()):
            yield digits[0] + r"[\s:]*".join(digits)[1:]


def _ways(char: str) -> list[str]:
    """One character in every spelling, itself first; letters and digits are never spelt otherwise."""
    plain = re.escape(char)
    if char.isascii() and (char.isalnum() or char in "-_."):
        return [plain]
    raw = char.encode("utf-8", "surrogateescape")
    units = char.encode("utf-16-be", "surrogatepass").hex()
    code = ord(char)
    found = [
        plain,
        _BACKSLASHES + plain,
        "".join(f"%(?:25)*{_hex(f'{byte:02x}')}" for byte in raw),
        "".join(f"{_BACKSLASHES}u{_hex(units[at : at + 4])}" for at in range(0, len(units), 4)),
        f"{_BACKSLASHES}U{_hex(f'{code:08x}')}",
        "".join(f"{_BACKSLASHES}x{_hex(f'{byte:02x}')}" for byte in raw),
        "".join(f"{_BACKSLASHES}{byte:03o}" for byte in raw),
        f"&(?:#0*{code}|#[xX]0*{_hex(f'{code:x}')}|{_ENTITIES.get(char, 'none')});",
    ]
    if code < 0x100:
        found.append(f"{_BACKSLASHES}x{_hex(f'{code:02x}')}")
    return found + _OTHERWISE.get(char, [])


_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_OTHERWISE = {
    " ": [r"\+"],
    "\n": [_BACKSLASHES + "n"],
    "\r": [_BACKSLASHES + "r"],
    "\t": [_BACKSLASHES + "t"],
    "'": ["'" + _BACKSLASHES + "''", "'\"'\"'", "''"],
    '"': ['""'],
}


def _hex(digits: str) -> str:
    """Hexadecimal digits in capitals or not."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _base64(raw: bytes) -> Iterator[str]:
    """The part of `raw` in Base64 that is the same whatever stands before and after it."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        whole = encoded.rstrip("=")
        # The first group holds bits of what stands before, the last one bits of what comes after.
        yield whole[(0, 2, 3)[shift] : len(whole) - (1 if (len(raw) + shift) % 3 else 0)]
        yield whole[(0, 2, 3)[shift] :].translate(str.maketrans("+/", "-_"))
