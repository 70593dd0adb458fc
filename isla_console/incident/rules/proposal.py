"""The severity to declare, from at most three answers, with the rule it follows from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

KINDS_OF_TROUBLE = ("outage", "data", "security", "major", "minor", "cosmetic")
"""All down, data at risk, a breach, a major or a minor feature broken, or its looks only."""


class SeverityLike(Protocol):
    """What a runbook says about one severity, the gravest first."""

    @property
    def id(self) -> str:
        """Such as P0."""

    @property
    def rule(self) -> tuple[str, ...]:
        """The clauses, any of which is enough."""

    @property
    def affected_from(self) -> float | None:
        """The share of users in percent from which on (inclusive) it is this severity."""

    @property
    def affected_below(self) -> float | None:
        """The share of users in percent below which (exclusive) it is this severity."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A severity, and the clause of the runbook that it follows from."""

    severity: str
    because: str


def propose(
    severities: Sequence[SeverityLike],
    *,
    trouble: str | None = None,
    affected_percent: float | None = None,
) -> Proposal:
    """Propose the gravest severity that any answer asks for.

    With nothing known it is the gravest that depends on a share of users. Which issue it is
    changes nothing here.

    Args:
        severities: The runbook's, the gravest first.
        trouble: One of `KINDS_OF_TROUBLE`; None when not known.
        affected_percent: The share of users affected, 0 to 100; None when not known.
    """
    by_trouble = None if trouble is None else _for_trouble(severities, trouble)
    by_share = None if affected_percent is None else _for_share(severities, affected_percent)
    candidates = [found for found in (by_trouble, by_share) if found is not None]
    if candidates:
        order = [severity.id for severity in severities]
        return min(candidates, key=lambda found: order.index(found.severity))
    for severity in severities:
        if severity.affected_from is not None:
            return Proposal(severity.id, "the share of users is not known: taken as the worse")
    return Proposal(severities[0].id, "nothing is known yet: taken as the worst")


_CLAUSE_WORDS = {
    "outage": ("outage",),
    "data": ("data",),
    "security": ("security", "breach"),
    "major": ("major",),
    "minor": ("minor",),
    "cosmetic": ("cosmetic", "workaround"),
}


def _for_trouble(severities: Sequence[SeverityLike], trouble: str) -> Proposal | None:
    """Return the severity with a clause that mentions this kind of trouble."""
    for severity in severities:
        for clause in severity.rule:
            if any(word in clause.casefold() for word in _CLAUSE_WORDS.get(trouble, ())):
                return Proposal(severity.id, clause)
    return None


def _for_share(severities: Sequence[SeverityLike], percent: float) -> Proposal | None:
    """Return the severity for a share of users; a bound itself belongs to the graver side."""
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
