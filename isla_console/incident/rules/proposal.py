"""From at most three answers to a severity, with the rule that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

KINDS_OF_TROUBLE = ("outage", "data", "security", "major", "minor", "cosmetic")
"""What it can be: all down, data at risk, a breach, a major or a minor feature, looks only."""


class SeverityLike(Protocol):
    """What a runbook says about one severity, the gravest first."""

    @property
    def id(self) -> str: ...
    @property
    def rule(self) -> tuple[str, ...]: ...
    @property
    def affected_from(self) -> float | None: ...
    @property
    def affected_below(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """A severity and the clause of the runbook that says so."""

    severity: str
    because: str


def propose(
    severities: Sequence[SeverityLike],
    *,
    trouble: str | None = None,
    affected_percent: float | None = None,
) -> Proposal:
    """The gravest severity that an answer asks for.

    ``trouble`` is one of KINDS_OF_TROUBLE, ``affected_percent`` the share of users, each
    None when not known. With neither known it is the gravest that is about a share of
    users, as long as nobody knows better. Which issue it is changes nothing here.
    """
    named = None if trouble is None else _named(severities, trouble)
    shared = None if affected_percent is None else _shared(severities, affected_percent)
    candidates = [found for found in (named, shared) if found is not None]
    if candidates:
        order = [severity.id for severity in severities]
        return min(candidates, key=lambda found: order.index(found.severity))
    for severity in severities:
        if severity.affected_from is not None:
            return Proposal(severity.id, "the share of users is not known: taken as the worse")
    return Proposal(severities[0].id, "nothing is known yet: taken as the worst")


_WORDS = {
    "outage": ("outage",),
    "data": ("data",),
    "security": ("security", "breach"),
    "major": ("major",),
    "minor": ("minor",),
    "cosmetic": ("cosmetic", "workaround"),
}


def _named(severities: Sequence[SeverityLike], trouble: str) -> Proposal | None:
    """The severity with a clause that speaks of that trouble."""
    for severity in severities:
        for clause in severity.rule:
            if any(word in clause.casefold() for word in _WORDS.get(trouble, ())):
                return Proposal(severity.id, clause)
    return None


def _shared(severities: Sequence[SeverityLike], percent: float) -> Proposal | None:
    """The severity for a share of users; a bound itself belongs to the graver side."""
    for severity in severities:
        if severity.affected_from is not None and percent >= severity.affected_from:
            clause = _clause_about_share(severity)
            if percent == severity.affected_from:
                return Proposal(severity.id, f"exactly {percent:g} % counts as {severity.id}")
            return Proposal(severity.id, clause)
        if severity.affected_below is not None and percent < severity.affected_below:
            return Proposal(severity.id, _clause_about_share(severity))
    return None


def _clause_about_share(severity: SeverityLike) -> str:
    return next((clause for clause in severity.rule if "%" in clause), severity.rule[0])
