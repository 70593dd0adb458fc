"""One number of several: what a metric's source answers with more than one row, value or series. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

Combine = Literal["sum", "mean", "max", "min", "worst"]

MOST: Final = 10_000
"""The most numbers that are combined: more are a query that went wrong."""

_WAYS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": math.fsum,
    "mean": lambda values: math.fsum(values) / len(values),
    "max": max,
    "min": min,
}


class NotOneError(ValueError):
    """There is not one number, and nothing says what becomes of several; the text is safe to show."""


def way_of(combine: Combine | None, better: Literal["lower", "higher"]) -> Combine | None:
    """Return how several numbers become one, with `worst` as what it means for the metric."""
    return ("max" if better == "lower" else "min") if combine == "worst" else combine


def one_of(values: Sequence[float], combine: Combine | None, what: str) -> float:
    """Return the one number, or what `combine` makes of several.

    Args:
        values: Finite numbers.
        combine: As `way_of` gives it; None where there has to be one.
        what: What there is one of, in the singular, such as "row".

    Raises:
        NotOneError: There is none, there are several and nothing says which, or far too many.
    """
    if not values:
        raise NotOneError(f"no {what}, one is wanted")
    if len(values) > MOST:
        raise NotOneError(f"more than {MOST:,} {plural(what)}")
    if combine is None and len(values) > 1:
        raise NotOneError(f"{len(values)} {plural(what)}, one is wanted: narrow it down, or write `combine`")
    return values[0] if combine is None else _WAYS[combine](values)


def plural(what: str) -> str:
    """Return the plural of what is counted."""
    return what if what == "series" else f"{what}s"
