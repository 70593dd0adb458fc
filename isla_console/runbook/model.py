"""The runbook as data: what `runbook.yaml` (version 1) may say.

Every model is frozen and refuses unknown keys. Shapes and types are held here; what spans several
places of the file (references, duplicate ids, contradicting thresholds) is held in `rules.py`.
Load a file with `load.load_runbook`, which reports every finding with its line and column.

The sentence under a field is also its description in the JSON Schema (`schema.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from isla_console.runbook.bound import Bound

if TYPE_CHECKING:
    from isla_console.runbook.search import Hit

Kind = Literal["shell", "sql", "http", "open", "goto", "manual"]
"""What a step is: a command, a statement, a request, a page, another issue, or a person's work."""

Effect = Literal["read", "stream", "write", "destroy"]
"""What a step does to production. `stream` reads and never ends by itself."""

InputType = Literal["text", "url", "int", "email", "date", "datetime", "secret", "dsn"]
MetricKind = Literal["probe", "error_rate", "postgres", "stripe", "http_json", "prometheus"]
Aggregate = Literal["last", "p95", "max", "mean", "rate"]
Overlay = Literal["by_severity", "as_written"]
Evidence = Literal["none", "soak", "status_update", "customer_update", "postmortem", "actions", "runbook"]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=14, strip_whitespace=True)]
Whole = Annotated[int, Strict(), Field(ge=0)]
Number = Annotated[float, Strict(), Field(ge=0)]
Seconds = Annotated[float, Strict(), Field(gt=0)]
Percent = Annotated[float, Strict(), Field(ge=0, le=100)]
Flag = Annotated[bool, Strict()]
Status = Annotated[int, Strict(), Field(ge=100, le=599)]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def variables(text: str) -> tuple[str, ...]:
    """The input names a template refers to as `${NAME}`, in order, each once."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


class _Model(BaseModel):
    # Only the whole Runbook is ever validated from outside: building its validator builds those of
    # the parts, and doing it for each class again would double the time to start.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)


class Pick(_Model):
    """Where the value of an input can be chosen from: a column of an earlier step's rows."""

    step: Id
    column: Text


class Input(_Model):
    """A value the runbook needs, declared once: `${NAME}` in HTTP, `"$NAME"` in shell, `params` in SQL."""

    name: str = ""
    type: InputType = "text"
    title: Text
    env: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None
    """The environment variable it is taken from."""
    secret: Flag = False
    """Typed masked, never shown, stored or logged."""
    default: str | None = None
    pattern: str | None = None
    """A regular expression the whole value must match."""
    example: str | None = None
    optional: Flag = False
    """May stay unset: a query parameter or header that needs it is then left out."""
    pick: Pick | None = None
    source: tuple[Text, ...] = ()
    """The placeholders or literal values of the original runbook that it stands for."""


class HttpCall(_Model):
    """A request. `${NAME}` is replaced by an input, escaped for the place it stands in."""

    method: Method = "GET"
    url: Text
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: str | dict[str, Any] | None = None
    """Text is sent as it is; a mapping is sent as JSON."""
    form: dict[str, str] | None = None
    """Sent as application/x-www-form-urlencoded."""


class Expect(_Model):
    """What a healthy answer looks like; every condition given has to hold."""

    status: tuple[Status, ...] = ()
    exit_code: Whole | None = None
    pattern: str | None = None
    """A regular expression found in the output."""
    rows: Bound | None = None
    """How many rows, such as "<= 0"."""


class Seen(_Model):
    """Output matching `pattern` marks `symptom` as seen."""

    pattern: Text
    symptom: Id


class Step(_Model):
    """One thing to do. Ids are unique in the whole runbook."""

    id: Id
    title: Text
    kind: Kind
    effect: Effect = "read"
    """What it does to production. Must be said for shell, sql and http."""
    text: Text | None = None
    """What to look for, or for a `manual` step what to do."""
    run: Text | None = None
    """The command (shell) or the one statement (sql)."""
    params: tuple[str, ...] = ()
    """sql: the inputs bound to $1, $2 and so on."""
    connect: str | None = None
    """shell: the dsn input given to libpq as PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE."""
    http: HttpCall | None = None
    table: Text | None = None
    """A JMESPath from the JSON answer (or from a line of a stream) to rows, which are what is kept."""
    url: Text | None = None
    """open: the page."""
    issue: Id | None = None
    """goto: the issue."""
    cli: Text | None = None
    """The vendor's command line that does the same, to copy."""
    source: Text | None = None
    """What the original runbook says, exactly, where `run`, `http` or `url` differs."""
    because: Text | None = None
    """Why it differs."""
    blocked: Text | None = None
    """Why this must not be run."""
    instead: Text | None = None
    """What to do instead of a blocked step."""
    preview: Id | None = None
    """The read-only step that shows what this one would touch."""
    undo: Text | None = None
    secret_output: Flag = False
    timeout_s: Seconds | None = None
    expect: Expect | None = None
    seen: tuple[Seen, ...] = ()


class Symptom(_Model):
    """What people or probes notice. Measured where `metric` or `probe` is given."""

    id: Id
    text: Text
    metric: Id | None = None
    beyond: Bound | None = None
    """Holds when the metric's value does; without it, when the metric is in alert."""
    probe: Id | None = None
    """Holds when this probe fails."""


class Signal(_Model):
    """Evidence for an issue: exactly one of `metric`, `probe` or `symptom`, in a state."""

    metric: Id | None = None
    probe: Id | None = None
    symptom: Id | None = None
    state: Literal["elevated", "alert", "failing", "seen"]
    weight: Annotated[int, Strict(), Field(ge=1, le=10)]
    because: Text


class Resolution(_Model):
    """What to do about one cause of an issue."""

    id: Id
    cause: Text
    text: Text | None = None
    steps: tuple[Step, ...] = ()


class FollowUp(_Model):
    """What is left to do after the incident."""

    id: Id
    text: Text


class Issue(_Model):
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

    def steps(self) -> Iterator[Step]:
        """Every step of the issue: diagnosis, then the resolutions in order."""
        yield from self.diagnosis
        for resolution in self.resolutions:
            yield from resolution.steps


class Contact(_Model):
    """Whom to call. Empty `severities` or `issues` mean all of them."""

    id: Id
    role: Text
    contact: Text
    when: Text
    severities: tuple[Id, ...] = ()
    issues: tuple[Id, ...] = ()
    levels: tuple[Id, ...] = ()
    """The escalation levels at which this contact is called."""


class Severity(_Model):
    """How bad it is; any clause of `rule` is enough."""

    id: Id
    name: Text
    rule: tuple[Text, ...]
    affected_from: Percent | None = None
    """Share of users affected, percent, from which on (inclusive) it is this severity."""
    affected_below: Percent | None = None
    """Share of users affected, percent, below which (exclusive) it is this severity."""


class HealthCheck(_Model):
    """A request repeated for ever. Redirects are answers here: they are never followed."""

    id: Id
    title: Text
    method: Literal["GET", "HEAD"] = "GET"
    url: Text
    headers: dict[str, str] = Field(default_factory=dict)
    expect_status: tuple[Status, ...] = (200,)
    every_s: Seconds
    timeout_s: Seconds
    source: Text | None = None
    because: Text | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The inputs it needs before it can run."""
        return variables(" ".join((self.url, *self.headers.values())))


class MetricSource(_Model):
    """Where a metric's samples come from and how a window of them becomes one value."""

    kind: MetricKind
    probes: tuple[Id, ...] = ()
    """probe: exactly one; error_rate: which ones, or none for all of them."""
    query: Text | None = None
    """postgres: one statement whose first row's first column, `value`, is the sample; prometheus: PromQL."""
    url: Text | None = None
    """http_json and prometheus: the address."""
    headers: dict[str, str] = Field(default_factory=dict)
    select: Text | None = None
    """http_json: a JMESPath that gives one number."""
    aggregate: Aggregate
    window_s: Seconds
    take: Literal["total", "server_time"] = "total"
    """probe: the whole request, or its first byte less one round trip of our own."""


class MetricSpec(_Model):
    """A number to watch, with the bounds of normal and of alert."""

    id: Id
    title: Text
    short: Short
    unit: str = ""
    decimals: Whole = 0
    normal: Bound
    alert: Bound
    source: MetricSource
    every_s: Seconds
    """Seconds between samples."""


class LinkCheck(_Model):
    """Hosts reached to tell our own broken link from a broken platform, each `host:port`."""

    targets: tuple[Annotated[str, StringConstraints(pattern=r"^[^\s:]+:\d{1,5}$")], ...]
    every_s: Seconds = 5.0
    timeout_s: Seconds = 3.0


class Procedure(_Model):
    """A list of steps that belongs to no single issue."""

    id: Id
    number: Whole
    title: Text
    short: Short
    text: Text | None = None
    steps: tuple[Step, ...]


class Template(_Model):
    """A message to send. `placeholders` maps a piece of the text to what replaces it."""

    id: Id
    audience: Literal["public", "customer"]
    title: Text
    text: Text
    placeholders: dict[str, Id] = Field(default_factory=dict)


class ChecklistItem(_Model):
    """One line of the post-incident checklist, and what can prove it done."""

    id: Id
    text: Text
    evidence: Evidence = "none"


class Level(_Model):
    """A rung of the ladder, from `from_min` on; engaged levels stay engaged."""

    id: Id
    range: Text
    """The span as the original runbook writes it."""
    from_min: Number
    to_min: Number | None = None
    """When the next level takes the lead; nothing for the last levels."""
    targets: tuple[Text, ...]
    note: Text | None = None


class SeverityRule(_Model):
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


class Escalation(_Model):
    """Who is called when, and how often the world is told."""

    overlay: Overlay
    """by_severity uses the table; as_written uses the levels and the tightest cadence for all."""
    levels: tuple[Level, ...]
    nag_min: tuple[Number, ...]
    """Minutes after a level was due at which an unacknowledged target is called again."""
    by_severity: dict[str, SeverityRule]

    def rule(self, severity: str) -> SeverityRule:
        """The rule in force for a severity, the overlay applied.

        Raises:
            KeyError: no such severity.
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


class Runbook(_Model):
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
        """The issue of this id.

        Raises:
            KeyError: no such issue.
        """
        return _by_id(self.issues, id)

    def procedure(self, id: str) -> Procedure:
        """The procedure of this id.

        Raises:
            KeyError: no such procedure.
        """
        return _by_id(self.procedures, id)

    def step(self, id: str) -> Step:
        """The step of this id, wherever it stands.

        Raises:
            KeyError: no such step.
        """
        return _by_id(self.all_steps(), id)

    def severity(self, id: str) -> Severity:
        """The severity of this id.

        Raises:
            KeyError: no such severity.
        """
        return _by_id(self.severities, id)

    def metric(self, id: str) -> MetricSpec:
        """The metric of this id.

        Raises:
            KeyError: no such metric.
        """
        return _by_id(self.metrics, id)

    def all_probes(self) -> tuple[HealthCheck, ...]:
        """The health checks, then the further probes."""
        return self.health_checks + self.probes

    def all_steps(self) -> Iterator[Step]:
        """Every step, in reading order: issues, then procedures."""
        for issue in self.issues:
            yield from issue.steps()
        for procedure in self.procedures:
            yield from procedure.steps

    def contacts_for(self, severity: str | None = None, issue: str | None = None) -> tuple[Contact, ...]:
        """The contacts to call for a severity and an issue; None leaves that question open."""
        return tuple(
            contact
            for contact in self.contacts
            if (severity is None or not contact.severities or severity in contact.severities)
            and (issue is None or not contact.issues or issue in contact.issues)
        )

    def policy(self) -> dict[str, Any]:
        """What an incident freezes when it is declared, JSON-ready.

        `{"overlay", "levels": [{"id", "from_min", "to_min", "targets", "note"}], "nag_min",
        "severities": {"P0": SeverityRule...}, "checklist": [{"id", "text", "evidence"}]}`. The overlay
        is already applied to `severities`; its name stands beside them.
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

    def search(self, text: str, limit: int = 50) -> list[Hit]:
        """Where every word of `text` occurs, best first; commands and statements included."""
        from isla_console.runbook.search import search

        return search(self, text, limit)


class _Named(Protocol):
    @property
    def id(self) -> str: ...


_Item = TypeVar("_Item", bound=_Named)


def _by_id(items: Iterable[_Item], id: str) -> _Item:
    for item in items:
        if item.id == id:
            return item
    raise KeyError(id)
