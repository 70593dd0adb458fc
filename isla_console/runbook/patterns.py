"""The runbook's regular expressions, matched in time that is linear in the text.

What they are matched against comes from outside, and Python's own engine can be kept busy for ever by a
pattern such as `^(a+)+$`. RE2 cannot: it has neither look-around nor back-references. It is imported with the
first match.
"""

from __future__ import annotations

import functools
import re
from typing import Any

_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_NOT_RE2 = re.compile(
    r"(?P<look>\(\?(?:[=!]|<[=!]))|(?P<back>(?<!\\)(?:\\\\)*\\[1-9]|\(\?P=)"
    r"|(?P<atomic>\(\?>|[*+?}]\+)|(?P<condition>\(\?\()|(?P<end>(?<!\\)(?:\\\\)*\\Z)"
)
_WORDS = {
    "look": ("a look-around", "a pattern without (?=…), (?!…), (?<=…) and (?<!…)"),
    "back": ("a back-reference", r"a pattern without \1 and (?P=…)"),
    "atomic": ("a possessive quantifier or atomic group", "a plain quantifier or group"),
    "condition": ("a condition", "two patterns, joined by |"),
    "end": (r"\Z", r"$, or \z"),
}


def unsupported(pattern: str) -> tuple[str, str]:
    """Return what in a pattern RE2 does not have, and what to write instead; "" twice where there is nothing.

    It reads the pattern's text alone, so that a runbook is read without RE2.
    """
    found = _NOT_RE2.search(_CLASS.sub("x", pattern))
    return _WORDS[found.lastgroup or ""] if found is not None else ("", "")


def is_simple(pattern: str) -> bool:
    """Return whether a pattern repeats so little that Python's engine, too, is done with it at once."""
    rest = _CLASS.sub("x", pattern)
    return re.search(r"\)[*+{]", rest) is None and len(re.findall(r"[*+{]", rest)) <= 2


def problem(pattern: str) -> str:
    """Return why a pattern cannot be used; "" where it can."""
    try:
        _compiled(pattern, False)
    except Exception as error:  # the library's own class, which is only known once it is imported
        said = error.args[0] if error.args else ""
        return (said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) or "it is none"
    return ""


def found_in(pattern: str, text: str | bytes, *, lines: bool = False) -> bool:
    """Return whether a pattern is found in a text; with `lines`, ^ and $ also hold at each line's ends.

    A pattern that cannot be used, which `isla-console check` says, is found nowhere.
    """
    if problem(pattern):
        return False
    return _compiled(pattern, lines).search(_bytes(text)) is not None


def matches_whole(pattern: str, text: str) -> bool:
    """Return whether a pattern matches a whole text; one that cannot be used matches nothing."""
    return not problem(pattern) and _compiled(pattern, False).fullmatch(_bytes(text)) is not None


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str, lines: bool) -> Any:
    import re2

    options = re2.Options()
    # Otherwise it writes to standard error, which is the screen.
    options.log_errors = False
    return re2.compile(f"(?m:{pattern})" if lines else pattern, options)


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
