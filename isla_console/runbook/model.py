"""The runbook as data: what `runbook.yaml` (version 1) may say.

Every model is frozen and refuses unknown keys. Shapes and types are held here and in the modules that
this one gathers; what spans several places of the file (references, duplicate ids, contradicting
thresholds) is held in `rules/`. Load a file with `load.load_runbook`, which reports every finding with
its line and column.

The sentence under a field is also its description in the JSON Schema (`schema.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar

from pydantic import Field, Strict, StringConstraints

from isla_console.runbook.bound import Bound
from isla_console.runbook.fields import Id, Number, Part, Short, Text, Whole
from isla_console.runbook.people import Contact, Escalation, Level, Severity, SeverityRule
from isla_console.runbook.steps import Effect, Expect, HttpCall, Input, Kind, Pick, Seen, Step
from isla_console.runbook.watch import (
    DatabaseCheck,
    Deployments,
    HealthCheck,
    LinkCheck,
    MetricSource,
    MetricSpec,
    Vendor,
)

__all__ = [
    "Bound",
    "ChecklistItem",
    "Contact",
    "DatabaseCheck",
    "Deployments",
    "Effect",
    "Escalation",
    "Evidence",
    "Expect",
    "FollowUp",
    "HealthCheck",
    "HttpCall",
    "Input",
    "Issue",
    "Kind",
    "Level",
    "LinkCheck",
    "MetricSource",
    "MetricSpec",
    "Pick",
    "Procedure",
    "Resolution",
    "Runbook",
    "Seen",
    "Severity",
    "SeverityRule",
    "Signal",
    "Step",
    "Symptom",
    "Template",
    "Vendor",
]

Evidence = Literal["none", "soak", "status_update", "customer_update", "postmortem", "actions", "runbook"]


class Symptom(Part):
    """What people or probes notice. Measured where `metric` or `probe` is given."""

    id: Id
    text: Text
    metric: Id | None = None
    beyond: Bound | None = None
    """Holds when the metric's value does; without it, when the metric is in alert."""
    probe: Id | None = None
    """Holds when this probe fails."""


SignalState = Literal["elevated", "alert", "stale", "failing", "degraded", "down", "seen"]
"""metric: elevated, alert, stale (it was measured and no longer can be); probe: failing; vendor: degraded
(or worse), down; symptom: seen."""


class Signal(Part):
    """Evidence for an issue.

    Exactly one of `metric`, `probe`, `vendor` or `symptom` in a state, or `deployed_within_min`.
    """

    metric: Id | None = None
    probe: Id | None = None
    vendor: Id | None = None
    symptom: Id | None = None
    deployed_within_min: Number | None = None
    """Holds when a deployment went live at most so long before the first alert."""
    state: SignalState | None = None
    weight: Annotated[int, Strict(), Field(ge=1, le=10)]
    because: Text


class Resolution(Part):
    """What to do about one cause of an issue."""

    id: Id
    cause: Text
    text: Text | None = None
    steps: tuple[Step, ...] = ()


class FollowUp(Part):
    """What is left to do after the incident."""

    id: Id
    text: Text


class Issue(Part):
    """A kind of outage, from its symptoms to its follow-ups."""

    id: Id
    number: Whole
    title: Text
    short: Short
    """At most 14 characters, for the sidebar."""
    area: Text
    symptoms: tuple[Symptom, ...]
    diagnosis: tuple[Step, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    follow_up: tuple[FollowUp, ...] = ()
    see_also: tuple[Id, ...] = ()
    signals: tuple[Signal, ...] = ()
    downstream_of: tuple[Id, ...] = ()
    """Issues that bring this one about: while one of them is measured, this one ranks below it."""
    severity: Id | None = None
    """What it is proposed as when it is declared."""

    def steps(self) -> Iterator[Step]:
        """Yield every step of the issue: diagnosis, then the resolutions in order."""
        yield from self.diagnosis
        for resolution in self.resolutions:
            yield from resolution.steps


class Procedure(Part):
    """A list of steps that belongs to no single issue."""

    id: Id
    number: Whole
    title: Text
    short: Short
    text: Text | None = None
    steps: tuple[Step, ...]


class Template(Part):
    """A message to send. `placeholders` maps a piece of the text to what replaces it."""

    id: Id
    audience: Literal["public", "customer"]
    title: Text
    text: Text
    placeholders: dict[str, Id] = Field(default_factory=dict)


class ChecklistItem(Part):
    """One line of the post-incident checklist, and what can prove it done."""

    id: Id
    text: Text
    evidence: Evidence = "none"


class Runbook(Part):
    """The whole document."""

    version: Literal[1]
    id: Id
    title: Text
    platform: Text
    purpose: Text
    owner: Text
    last_updated: date | None = None
    next_review: date | None = None
    review: Text
    """How often it is reviewed."""
    unfilled: dict[Literal["last_updated", "next_review"], Text] = Field(default_factory=dict)
    """What the original runbook has in place of a date."""
    contacts: tuple[Contact, ...]
    severities: tuple[Severity, ...]
    inputs: dict[Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")], Input]
    health_checks: tuple[HealthCheck, ...]
    probes: tuple[HealthCheck, ...] = ()
    """Further probes that a metric needs and that are no health checks."""
    database_checks: tuple[DatabaseCheck, ...] = ()
    """Questions to the database: probes that need no request."""
    vendors: tuple[Vendor, ...] = ()
    """Status pages of those we stand on."""
    deployments: Deployments | None = None
    link_check: LinkCheck
    metrics: tuple[MetricSpec, ...]
    issues: tuple[Issue, ...]
    procedures: tuple[Procedure, ...]
    templates: tuple[Template, ...]
    checklist: tuple[ChecklistItem, ...]
    escalation: Escalation

    def model_post_init(self, context: Any, /) -> None:
        """Give each input the name it is declared under."""
        for name, item in self.inputs.items():
            # The models are frozen for everyone but their parent at birth.
            item.__dict__["name"] = name

    def issue(self, id: str) -> Issue:
        """Return the issue with this id.

        Raises:
            KeyError: There is no such issue.
        """
        return _by_id(self.issues, id)

    def procedure(self, id: str) -> Procedure:
        """Return the procedure with this id.

        Raises:
            KeyError: There is no such procedure.
        """
        return _by_id(self.procedures, id)

    def step(self, id: str) -> Step:
        """Return the step with this id, wherever it is.

        Raises:
            KeyError: There is no such step.
        """
        return _by_id(self.all_steps(), id)

    def severity(self, id: str) -> Severity:
        """Return the severity with this id.

        Raises:
            KeyError: There is no such severity.
        """
        return _by_id(self.severities, id)

    def metric(self, id: str) -> MetricSpec:
        """Return the metric with this id.

        Raises:
            KeyError: There is no such metric.
        """
        return _by_id(self.metrics, id)

    def vendor(self, id: str) -> Vendor:
        """Return the vendor with this id.

        Raises:
            KeyError: There is no such vendor.
        """
        return _by_id(self.vendors, id)

    def all_requests(self) -> tuple[HealthCheck, ...]:
        """Return the health checks, then the further probes."""
        return self.health_checks + self.probes

    def all_probes(self) -> tuple[HealthCheck | DatabaseCheck, ...]:
        """Return everything that passes or fails: the requests, then the database checks."""
        return *self.all_requests(), *self.database_checks

    def all_steps(self) -> Iterator[Step]:
        """Yield every step, in reading order: issues, then procedures."""
        for issue in self.issues:
            yield from issue.steps()
        for procedure in self.procedures:
            yield from procedure.steps

    def contacts_for(self, severity: str | None = None, issue: str | None = None) -> tuple[Contact, ...]:
        """Return the contacts to call for a severity and an issue; None leaves that question open."""
        return tuple(
            contact
            for contact in self.contacts
            if (severity is None or not contact.severities or severity in contact.severities)
            and (issue is None or not contact.issues or issue in contact.issues)
        )

    def policy(self) -> dict[str, Any]:
        """Return what an incident freezes when it is declared, JSON-ready.

        Returns:
            `{"overlay", "levels": [{"id", "from_min", "to_min", "targets", "note"}], "nag_min",
            "severities": {"P0": SeverityRule...}, "checklist": [{"id", "text", "evidence"}]}`. The
            overlay is already applied to `severities`; `overlay` is its name.
        """
        escalation = self.escalation
        return {
            "overlay": escalation.overlay,
            "levels": [level.model_dump(mode="json", exclude={"range"}) for level in escalation.levels],
            "nag_min": list(escalation.nag_min),
            "severities": {
                severity: escalation.rule(severity).model_dump(mode="json")
                for severity in escalation.by_severity
            },
            "checklist": [item.model_dump(mode="json") for item in self.checklist],
        }


MEASURED: Final = (
    *("metrics", "health_checks", "probes", "database_checks", "vendors", "deployments", "link_check"),
)
"""The parts of a runbook that the monitor is made of."""


class _Named(Protocol):
    @property
    def id(self) -> str: ...


_Item = TypeVar("_Item", bound=_Named)


def _by_id(items: Iterable[_Item], id: str) -> _Item:
    for item in items:
        if item.id == id:
            return item
    raise KeyError(id)
