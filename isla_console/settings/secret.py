"""A text that must not show."""

from __future__ import annotations

from typing import Final

MASK: Final = "••••••"
"""What is shown in place of a secret."""
SHORTEST: Final = 4
"""The shortest secret that is hidden, in characters: a shorter one would put bullets everywhere."""


class Secret:
    """A text that never shows itself: repr, str, format and pickling give no part of it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself. Call it at the point of use and do not keep the result."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")
