"""People and severities: the contacts, how bad it is, and what that asks for."""

from __future__ import annotations

from typing import Literal

from isla_console.runbook.fields import Flag, Id, Number, Part, Percent, Text

Overlay = Literal["by_severity", "as_written"]


class Contact(Part):
    """Whom to call. Empty `severities` or `issues` mean all of them."""

    id: Id
    role: Text
    contact: Text
    when: Text
    severities: tuple[Id, ...] = ()
    issues: tuple[Id, ...] = ()
    levels: tuple[Id, ...] = ()
    """The escalation levels at which this contact is called."""


class Severity(Part):
    """How bad it is; any clause of `rule` is enough."""

    id: Id
    name: Text
    rule: tuple[Text, ...]
    affected_from: Percent | None = None
    """Share of users affected, percent, from which on (inclusive) it is this severity."""
    affected_below: Percent | None = None
    """Share of users affected, percent, below which (exclusive) it is this severity."""


class Level(Part):
    """A rung of the ladder, from `from_min` on; engaged levels stay engaged."""

    id: Id
    range: Text
    """The span as the original runbook writes it."""
    from_min: Number
    to_min: Number | None = None
    """When the next level takes the lead; nothing for the last levels."""
    targets: tuple[Text, ...]
    note: Text | None = None


class SeverityRule(Part):
    """What a severity asks for. Minutes and hours; null means never by itself."""

    ladder: dict[str, Number | None]
    """Minutes of unmitigated time at which each level is due; null: only by hand."""
    first_update_min: Number | None = None
    cadence_min: Number | None = None
    cadence_after_first_only: Flag = False
    """The cadence starts once a first update was sent by hand."""
    soak_min: Number = 0
    """How long metrics have to stay normal before resolving."""
    postmortem_h: Number | None = None
    postmortem_asked: Flag = False
    """No due time, but closing asks for one."""


class Escalation(Part):
    """When which people are called, and how often updates are due."""

    overlay: Overlay
    """by_severity uses the table; as_written uses the levels and the tightest cadence for all."""
    levels: tuple[Level, ...]
    nag_min: tuple[Number, ...]
    """Minutes after a level was due at which an unacknowledged target is called again."""
    by_severity: dict[str, SeverityRule]

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
