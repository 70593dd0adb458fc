"""Values of a result: PostgreSQL's own text, None for NULL, and cells that were cut for their size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from isla_console.database import values
from isla_console.text.plain import plain

NUMBERS: Final = values.NUMBERS | {"money"}
"""The types whose values are aligned to the right."""


class Cut(str):
    """The beginning of a cell that is too long to be kept; `whole` is its length in bytes."""

    __slots__ = ("whole",)
    whole: int

    def __new__(cls, text: str, whole: int) -> Cut:
        """Take what is kept of a cell, and its whole length."""
        made = super().__new__(cls, text)
        made.whole = whole
        return made


def text(value: str | None) -> str:
    """Return one value on one line, controls made visible."""
    return plain(raw_text(value))


def raw_text(value: str | None) -> str:
    """Return a value as PostgreSQL writes it, line breaks included, for files; "" for NULL."""
    return value or ""


def unique_names(names: Iterable[str]) -> list[str]:
    """Return column names of which none is the same as another: the second `oid` becomes `oid_2`."""
    given = list(names)
    found: list[str] = []
    taken = set(given)
    for name in given:
        number, wanted = 2, name
        while wanted in found or (wanted != name and wanted in taken):
            wanted, number = f"{name}_{number}", number + 1
        found.append(wanted)
    return found


def parameters(given: Sequence[Any], wanted: int) -> list[str | None]:
    """Return a statement's parameters as texts, which the server reads as the types that it wants.

    Raises:
        ValueError: There are too few or too many.
    """
    if len(given) != wanted:
        raise ValueError(f"the statement takes {wanted} values, {len(given)} were given")
    return [values.as_parameter(one) for one in given]
