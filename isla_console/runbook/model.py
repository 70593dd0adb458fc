"""The runbook as data: what `runbook.yaml` (version 1) may say.

Every model is frozen and refuses unknown keys. Shapes and types are held here and in the modules that
this one gathers; what spans several places of the file (references, duplicate ids, contradicting
thresholds) is held in `rules/`. Load a file with `load.load_runbook`, which reports every finding with
its line and column.

The sentence under a field is also its description in the JSON Schema (`schema.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar, get_args

from pydantic import Field, Strict

from isla_console.runbook.bound import Bound
from isla_console.runbook.fields import MOST, Id, Line, Minutes, Name, Part, Place, Short, Text
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

Evidence = Literal[
    "none", "soak", "measures", "status_update", "customer_update", "postmortem", "actions", "runbook"
]
"""soak: the incident is resolved, and what was bad stayed normal. measures: everything that is measured is
well now. status_update, customer_update: a last update was sent to the public, to customers, since the
resolve. postmortem: it has an owner. actions: one is written down. runbook, none: a person's word."""


class Symptom(Part):
    """What people or probes notice. Measured where `metric` or `probe` is given."""

    id: Id
    text: Line
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
    deployed_within_min: Minutes | None = None
    """Holds when a deployment went live at most so long before the first alert."""
    state: SignalState | None = None
    weight: Annotated[int, Strict(), Field(ge=1, le=10)]
    because: Line


class Resolution(Part):
    """What to do about one cause of an issue."""

    id: Id
    cause: Line
    text: Text | None = None
    steps: Annotated[tuple[Step, ...], Field(max_length=MOST)] = ()


class FollowUp(Part):
    """What is left to do after the incident."""

    id: Id
    text: Text


class Issue(Part):
    """A kind of outage, from its symptoms to its follow-ups."""

    id: Id
    number: Place
    title: Line
    short: Short
    """At most 14 characters, for the sidebar."""
    area: Line
    customers_say: Line | None = None
    """What is affected, in the words of those who use it. Texts to the public and to customers have these
    words and no others; without them, whoever writes the text is asked."""
    symptoms: Annotated[tuple[Symptom, ...], Field(max_length=MOST)]
    diagnosis: Annotated[tuple[Step, ...], Field(max_length=MOST)] = ()
    resolutions: Annotated[tuple[Resolution, ...], Field(max_length=MOST)] = ()
    follow_up: Annotated[tuple[FollowUp, ...], Field(max_length=MOST)] = ()
    see_also: Annotated[tuple[Id, ...], Field(max_length=MOST)] = ()
    signals: Annotated[tuple[Signal, ...], Field(max_length=MOST)] = ()
    downstream_of: Annotated[tuple[Id, ...], Field(max_length=MOST)] = ()
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
    number: Place
    title: Line
    short: Short
    text: Text | None = None
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST)]


TemplateField = Literal[
    "service",
    "feature",
    "date",
    "impact",
    "start",
    "end",
    "next_update",
    "root_cause",
    "resolution",
    "prevention",
    "other",
]
"""What the incident fills in, up to `next_update`; what only a person can, from `root_cause` on."""
TEMPLATE_FIELDS: tuple[str, ...] = get_args(TemplateField)


class Template(Part):
    """A message to send. Each piece of its text in [brackets] or {braces} is filled in or literal."""

    id: Id
    audience: Literal["public", "customer"]
    title: Line
    text: Text
    placeholders: dict[Line, TemplateField] = Field(default_factory=dict, max_length=MOST)
    """By piece of the text, brackets or braces included, what replaces it."""
    literal: Annotated[tuple[Line, ...], Field(max_length=MOST)] = ()
    """Pieces in brackets or braces that are text and stay as they are."""
    clock: Id | None = None
    """The template whose clock sending this one restarts, where two share one; its own unless given."""


class ChecklistItem(Part):
    """One line of the post-incident checklist, and what can prove it done, or speak against it."""

    id: Id
    text: Line
    evidence: Evidence = "none"


_REVIEWED = {"weekly": 7, "monthly": 31, "quarterly": 92, "half-yearly": 183, "yearly": 366, "annually": 366}
"""Days between two reviews, by the runbook's word for it."""


class Runbook(Part):
    """The whole document."""

    version: Literal[1]
    id: Id
    title: Line
    platform: Line
    purpose: Text
    owner: Line
    last_updated: date | None = None
    next_review: date | None = None
    review: Line
    """How often it is reviewed, such as Quarterly."""
    unfilled: dict[Literal["last_updated", "next_review"], Line] = Field(default_factory=dict, max_length=2)
    """What the original runbook has in place of a date."""
    contacts: Annotated[tuple[Contact, ...], Field(min_length=1, max_length=MOST)]
    severities: Annotated[tuple[Severity, ...], Field(min_length=1, max_length=20)]
    """The gravest first."""
    inputs: Annotated[dict[Name, Input], Field(max_length=MOST)]
    health_checks: Annotated[tuple[HealthCheck, ...], Field(max_length=MOST)]
    probes: Annotated[tuple[HealthCheck, ...], Field(max_length=MOST)] = ()
    """Further probes that a metric needs and that are no health checks."""
    database_checks: Annotated[tuple[DatabaseCheck, ...], Field(max_length=MOST)] = ()
    """Questions to the database: probes that need no request."""
    vendors: Annotated[tuple[Vendor, ...], Field(max_length=MOST)] = ()
    """Status pages of those we stand on."""
    deployments: Deployments | None = None
    link_check: LinkCheck
    metrics: Annotated[tuple[MetricSpec, ...], Field(max_length=MOST)]
    issues: Annotated[tuple[Issue, ...], Field(max_length=MOST)]
    procedures: Annotated[tuple[Procedure, ...], Field(max_length=MOST)]
    templates: Annotated[tuple[Template, ...], Field(max_length=MOST)]
    checklist: Annotated[tuple[ChecklistItem, ...], Field(min_length=1, max_length=MOST)]
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

    @property
    def review_due(self) -> date | None:
        """When it is to be reviewed next: on the day it names, or so long after its last update."""
        if self.next_review is not None or self.last_updated is None:
            return self.next_review
        days = _REVIEWED.get(self.review.strip().casefold())
        return self.last_updated + timedelta(days=days) if days else None

    def contacts_of(self, target: str) -> tuple[Contact, ...]:
        """Return whom a target of the ladder means; a runbook that loads has at least one."""
        return tuple(contact for contact in self.contacts if contact.answers_to(target))

    def policy(self) -> dict[str, Any]:
        """Return what an incident freezes when it is declared, JSON-ready.

        Returns:
            `{"overlay", "levels": [{"id", "from_min", "to_min", "targets", "note"}], "nag_min",
            "severities": {"P0": SeverityRule...}, "checklist": [{"id", "text", "evidence"}],
            "texts": [{"id", "title", "audience", "clock"}]}`. The overlay is already applied to
            `severities`; `overlay` is its name.
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
            "texts": [
                {
                    "id": template.id,
                    "title": template.title,
                    "audience": template.audience,
                    "clock": template.clock or template.id,
                }
                for template in self.templates
            ],
        }

    def names(self) -> dict[str, dict[str, str]]:
        """Return the names that people know things by, by family and id, for an incident to keep."""
        return {
            "metric": {metric.id: metric.title for metric in self.metrics},
            "probe": {probe.id: probe.title for probe in self.all_probes()},
            "vendor": {vendor.id: vendor.title for vendor in self.vendors},
            "issue": {issue.id: f"{issue.number} {issue.title}" for issue in self.issues},
            "step": {step.id: step.title for step in self.all_steps()},
            "symptom": {
                f"{issue.id}/{symptom.id}": symptom.text
                for issue in self.issues
                for symptom in issue.symptoms
            },
        }

    def customers_words(self, issue: str | None) -> str:
        """Return what an issue affects, in customers' words; "" where the runbook has none."""
        known = next((one for one in self.issues if one.id == issue), None)
        return (known.customers_say or "") if known is not None else ""


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
