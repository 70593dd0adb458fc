"""What is measured now and speaks against a claim that all is well."""

from __future__ import annotations

from isla_console.session.state import ConsoleState
from isla_console.text.plain import plain

NAMED = 6
"""How many of the measures that wait for a setting are named."""


def not_well(state: ConsoleState) -> tuple[str, ...] | None:
    """Return, in words, every measure and probe that may not be called well now; None before any is watched.

    What is declared and was not measured is no less a gap in "all is well" than what is red.
    """
    if state.live is None:
        return None
    health = state.health.of("measure", "probe")
    parts = [
        plain(f"{one.title}: {_word(one.kind, one.state)}{f', {one.text}' if one.text else ''}")
        for one in health.parts
        if not one.is_well and not one.unset
    ]
    unset = [one.title for one in health.parts if one.unset]
    if unset:
        more = f" and {len(unset) - NAMED} more" if len(unset) > NAMED else ""
        parts.append(plain(f"not measured, because not set up: {', '.join(unset[:NAMED])}{more}"))
    return (*health.faults, *parts)


def _word(kind: str, state: str) -> str:
    return "failing" if kind == "probe" and state == "alert" else state
