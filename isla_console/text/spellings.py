"""The spellings in which a text may turn up: encoded, escaped, in other digits."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

_WRAPPED = r"[\s\x00\\n]*"
"""Between two characters of Base64, which tools wrap, and JSON writes the line end as \\n."""
_BACKSLASHES = r"\\\\*"


def spellings(form: str) -> Iterator[str]:
    """Yield regular expressions for a text, however it is spelt.

    Percent-encoded (also twice), escaped for JSON, a shell, SQL or HTML, in Base64 or hexadecimal. Each
    expression begins with a plain character, because that is fast to search for.
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
    """Return one character in every spelling, itself first; letters and digits have no other one."""
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
    """Return an expression for hexadecimal digits in either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _base64(raw: bytes) -> Iterator[str]:
    """Yield the part of `raw` in Base64 that is the same whatever comes before and after it."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        whole = encoded.rstrip("=")
        # The first group holds bits of what comes before, the last one bits of what comes after.
        yield whole[(0, 2, 3)[shift] : len(whole) - (1 if (len(raw) + shift) % 3 else 0)]
        yield whole[(0, 2, 3)[shift] :].translate(str.maketrans("+/", "-_"))
