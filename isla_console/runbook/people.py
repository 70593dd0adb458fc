"""People and severities: the contacts, how bad it is, and what that asks for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from isla_console.runbook.fields import (
    MOST,
    Flag,
    Hours,
    Id,
    Line,
    Minute,
    Minutes,
    Part,
    Percent,
    Soak,
)

Overlay = Literal["by_severity", "as_written"]


class Contact(Part):
    """Whom to call. Empty `severities` or `issues` mean all of them."""

    id: Id
    role: Line
    contact: Line | None
    """How to reach them. null where nobody has filled it in yet, which `unfilled` then says."""
    unfilled: Line | None = None
    """What is missing and who knows it, where there is no `contact`: the contacts page shows it."""
    when: Line
    severities: Annotated[tuple[Id, ...], Field(max_length=MOST)] = ()
    issues: Annotated[tuple[Id, ...], Field(max_length=MOST)] = ()
    levels: Annotated[tuple[Id, ...], Field(max_length=MOST)] = ()
    """The escalation levels at which this contact is called."""
    targets: Annotated[tuple[Line, ...], Field(max_length=MOST)] = ()
    """What the ladder's levels call them, where that is not the role."""

    @property
    def reach(self) -> str:
        """How to reach them, or that nobody has filled that in."""
        return self.contact or f"not known: {self.unfilled}"

    def answers_to(self, target: str) -> bool:
        """Return whether a target of the ladder means this contact."""
        return target.casefold() in {name.casefold() for name in (self.role, *self.targets)}


class Severity(Part):
    """How bad it is; any clause of `rule` is enough."""

    id: Id
    name: Line
    rule: Annotated[tuple[Line, ...], Field(min_length=1, max_length=MOST)]
    affected_from: Percent | None = None
    """Share of users affected, percent, from which on (inclusive) it is this severity."""
    affected_below: Percent | None = None
    """Share of users affected, percent, below which (exclusive) it is this severity."""


class Level(Part):
    """A rung of the ladder, from `from_min` on; engaged levels stay engaged."""

    id: Id
    range: Line
    """The span as the original runbook writes it."""
    from_min: Minute
    to_min: Minute | None = None
    """When the next level takes the lead; nothing for the last levels."""
    targets: Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)]
    """Whom it calls: each is the role of a contact, or stands under its `targets`."""
    note: Line | None = None


class SeverityRule(Part):
    """What a severity asks for. Minutes and hours; null means never by itself."""

    ladder: Annotated[dict[Id, Minute | None], Field(min_length=1, max_length=20)]
    """Minutes of unmitigated time at which each level is due; null: only by hand."""
    first_update_min: Minutes | None = None
    cadence_min: Minutes | None = None
    cadence_after_first_only: Flag = False
    """The cadence starts once a first update was sent by hand."""
    soak_min: Soak = 0
    """How long metrics have to stay normal before resolving; 0 only where nothing else is asked."""
    postmortem_h: Hours | None = None
    postmortem_asked: Flag = False
    """No due time, but closing asks for one."""


class Escalation(Part):
    """When which people are called, and how often updates are due."""

    overlay: Overlay
    """by_severity uses the table; as_written uses the levels and the tightest cadence for all."""
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=20)]
    nag_min: Annotated[tuple[Minutes, ...], Field(min_length=1, max_length=20)]
    """Minutes after a level was due at which an unacknowledged target is called again."""
    by_severity: Annotated[dict[Id, SeverityRule], Field(min_length=1, max_length=20)]

    def rule(self, severity: str) -> SeverityRule:
        """Return the rule in force for a severity, the overlay applied.

        Raises:
            KeyError: There is no such severity.
        """
        rule = self.by_severity[severity]
        if self.overlay == "by_severity":
            return rule
        rules = self.by_severity.values()
        cadence = min((r.cadence_min for r in rules if r.cadence_min is not None), default=None)
        return rule.model_copy(
            update={
                "ladder": {level.id: level.from_min for level in self.levels},
                "first_update_min": cadence,
                "cadence_min": cadence,
                "cadence_after_first_only": False,
                "postmortem_h": min(
                    (r.postmortem_h for r in rules if r.postmortem_h is not None), default=None
                ),
                "postmortem_asked": False,
            }
        )
