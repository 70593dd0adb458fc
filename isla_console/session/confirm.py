"""The confirmation before a step that changes something: made here, drawn by a sheet.

Making it asks the database about a backup or a restore, and Vercel what production serves now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from isla_console.runbook.steps import Effect, Step
from isla_console.session.session import Session
from isla_console.session.steps import StepServices
from isla_console.steps import backup, rollback
from isla_console.steps.environment import libpq
from isla_console.steps.guard import Judgement
from isla_console.steps.outcome import Outcome
from isla_console.steps.rows import Row
from isla_console.vendors.vercel import Deployment

LEAST = 8
"""How many characters of a long object are enough to type."""


@dataclass(frozen=True, slots=True)
class TwinAnswer:
    """The current answer of a step's read-only twin. `rows` is None where it has no table."""

    title: str
    result: str
    rows: tuple[Row, ...] | None


@dataclass(frozen=True, slots=True)
class Sides:
    """What production serves now, None where the API does not say, and what it would serve."""

    serving: Deployment | None
    target: Deployment


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What would happen if a step were run now, and what to type to run it. All text is redacted."""

    title: str
    effect: Effect
    question: str
    wanted: str
    """The object to type."""
    at: datetime
    """When this was found out, aware UTC."""
    others: tuple[str, ...] = ()
    """Objects that `wanted` must not be mistaken for: a typed beginning is enough if it fits none of them."""
    twin: TwinAnswer | None = None
    sides: Sides | None = None
    """Both deployments, of a step that changes which one production serves; None for any other step."""
    findings: tuple[str, ...] = ()
    """What the check before a backup or a restore found."""
    facts: tuple[tuple[str, str], ...] = ()
    """Pairs of a name and a text, such as ("Undo", "promote dpl_1")."""
    who: str = ""
    """Who runs the step, and whether it is journalled."""
    with_reason: bool = False
    """Whether a reason is asked for too."""

    def problem(self, typed: str) -> str:
        """Return what is wrong with a typed text; "" when it names the object."""
        typed = typed.strip()
        if typed == self.wanted:
            return ""
        alone = all(not other.startswith(typed) for other in self.others if other != self.wanted)
        if len(typed) >= LEAST and self.wanted.startswith(typed) and alone:
            return ""
        if typed in self.others:
            return f"{typed} is another one; here it is {self.wanted}"
        return f"type {self.wanted}" + (
            f" (its first {LEAST} characters are enough)" if len(self.wanted) > LEAST else ""
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step must not be run after all. The reason is redacted."""

    reason: str


async def make_confirmation(
    session: Session, step: Step, judgement: Judgement, twin: Outcome | None
) -> Confirmation | Refusal:
    """Find out what a guarded step would do now. `twin` is the outcome of the step's read-only twin, if any.

    Changes nothing, neither in production nor in the session.
    """
    services, incident, now = session.step_services, session.incident, session.clock.now()
    values = services.inputs.values(step, now)
    question, wanted, others = _object_to_type(step, services, values, now)
    sides = None
    if rollback.target_input(step) or rollback.promoted(step):
        found = await _both_sides(step, services, values, twin, now)
        if isinstance(found, Refusal):
            return found
        sides = found
    look = await _check_backup(step, services, values)
    if look.refused:
        return Refusal("; ".join([*look.lines, look.refused]))
    answer = None
    if twin is not None and step.preview and sides is None:
        answer = TwinAnswer(services.step(step.preview).title, twin.result, twin.rows)
    facts = (
        ("What it changes", step.text),
        ("Undo", _undo(step, sides)),
        ("Sends" if step.kind == "http" else "Runs", services.runner.shown(step, now)),
        ("Raised because", "; ".join(judgement.reasons)),
    )
    actor = session.author.actor
    return Confirmation(
        title=step.title,
        effect=judgement.effect,
        question=question,
        wanted=wanted,
        at=now,
        others=others,
        twin=answer,
        sides=sides,
        findings=look.lines,
        facts=tuple((name, text) for name, text in facts if text),
        who=f"{actor} · {incident.severity} · journalled" if incident else f"{actor} · no incident",
        with_reason=incident is not None,
    )


def _object_to_type(
    step: Step, services: StepServices, values: Mapping[str, str], now: datetime
) -> tuple[str, str, tuple[str, ...]]:
    """Return the question, the object to type, and the objects that it must not be mistaken for."""
    if back_to := rollback.promoted(step):
        return "Type it. Deployment to promote:", back_to, (_rolled_back_to(step, services, now),)
    used = [item for item in services.inputs.of(step) if item.name in values and not item.is_secret]
    picked = next((item for item in used if item.pick is not None), None)
    if step.connect and backup.kind_of(step) == "restore" and step.connect in values:
        database = libpq(values[step.connect]).get("PGDATABASE", "")
        if database:
            return "Type the database to restore into:", database, ()
    if picked is not None:
        return f"Type it. {picked.title}:", values[picked.name], tuple(services.choices(picked))
    asked = next((item for item in used if item.env is None), None)
    if asked is not None:
        return f"Type it. {asked.title}:", values[asked.name], ()
    return f"Type the step's name, {step.id}:", step.id, ()


def _rolled_back_to(undo: Step, services: StepServices, now: datetime) -> str:
    """Return the deployment that a rollback went to, which its undo must not be mistaken for."""
    original = services.original(undo)
    return services.inputs.values(original, now).get(rollback.target_input(original), "")


async def _both_sides(
    step: Step,
    services: StepServices,
    values: Mapping[str, str],
    twin: Outcome | None,
    now: datetime,
) -> Sides | Refusal:
    """Ask Vercel what production serves; return that and what it would serve, or why it cannot be changed."""
    back_to = rollback.promoted(step)
    original = services.original(step)
    target = back_to or values[rollback.target_input(step)]
    rows = services.rows(original.preview or "") if twin is None else twin.rows or ()
    known = rollback.deployments(rows)
    to = next((one for one in known if one.id == target), Deployment(target) if back_to else None)
    if to is None:
        return Refusal(f"{target} is none of the deployments that production can go back to")
    call = rollback.project_call(original)
    serving = await rollback.ask(
        call, services.inputs.values(original, now), trust_env=not services.settings.drill
    )
    if isinstance(serving, str):
        return Refusal(f"what production serves now is not known: {services.redactor.text(serving)}")
    current = serving.current
    if current is not None and current.id == target:
        return Refusal(f"{target} serves production already: going back to it changes nothing")
    if serving.change.status in {"pending", "in-progress"}:
        return Refusal(f"another change is under way: {serving.change.type} to {serving.change.to}")
    return Sides(current, to)


async def _check_backup(step: Step, services: StepServices, values: Mapping[str, str]) -> backup.CheckResult:
    """Check a backup or a restore by asking its database; return an empty result for any other step."""
    kind = backup.kind_of(step)
    file = backup.file_of(values)
    dsn = values.get(step.connect or "", "")
    if not kind or not file or not dsn:
        return backup.CheckResult()
    if kind == "backup":
        return await backup.before_backup(dsn, file)
    production = services.settings.secret("ISLA_DATABASE_URL")
    return await backup.before_restore(dsn, production.reveal() if production else "", file)


def _undo(step: Step, sides: Sides | None) -> str:
    """Return how the step is undone."""
    if rollback.target_input(step) and sides is not None and sides.serving is not None:
        return f"promote {sides.serving.id}"
    return step.undo or "none is known"
