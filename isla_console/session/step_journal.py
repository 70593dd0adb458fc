"""What steps leave in the journal: results, symptoms, notes and action items, redacted and bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from isla_console.incident import commands
from isla_console.incident.record.events import Event, EventError, event
from isla_console.incident.record.state import Incident
from isla_console.runbook.model import Runbook
from isla_console.runbook.steps import Step
from isla_console.session.session import Session
from isla_console.steps.outcome import STORED, Outcome
from isla_console.steps.runner import Run
from isla_console.text.plain import plain_block

COMMAND_LIMIT = 2000
RESULT_LIMIT = 400
"""How many characters of a command or of a result the journal keeps."""


class StepJournal:
    """Writes into the incident in which a step was begun, whatever the session works on when it ends.

    A step that was begun without an incident belongs to the one that was declared meanwhile, if any.
    """

    def __init__(self, session: Session, warn: Callable[[str], None]) -> None:
        """Use `warn` to say what could not be journalled, and why."""
        self._session = session
        self._warn = warn

    async def record(self, events: Sequence[Event]) -> bool:
        """Record events, or say why they could not be; return True once they are on disk."""
        done = await self._session.record(events)
        if not done and (problem := self._session.write_problem):
            self._warn(f"Not journalled: {problem}")
        return done

    async def add_result(self, run: Run, reason: str, begun_in: str) -> None:
        """Journal a run that has ended, why it was done, and the symptoms that its output shows.

        `begun_in` is the id of the incident in which it was begun, "" for none; so it is below.
        """
        session, outcome = self._session, run.outcome
        incident = self._incident(begun_in)
        if incident is None or outcome is None:
            return
        services = session.step_services
        data = ran_data(
            outcome,
            run.public,
            services.redactor.text(reason),
            secret_output=run.step.secret_output,
        )
        stamp = session.stamp()
        events = []
        try:
            events.append(event("ran", data, incident=incident.id, **stamp))
        except EventError as error:
            session.complain(error)
        for key in _unseen_symptoms(outcome, incident, session.runbook):
            value = f"by {run.step.title}"
            events += commands.see_symptom(incident, key, by="measured", value=value, **stamp)
        await self.record(events)

    async def mark_done(self, step: Step, result: str) -> None:
        """Mark a step as done by hand, with its result; if that is refused, say why."""
        session = self._session
        incident = session.incident
        if incident is None:
            self._warn("No incident is open: d declares one.")
            return
        said = session.step_services.redactor.text(result.strip()) or None
        try:
            events = commands.mark_step(incident, step.id, "done", **session.stamp(), result=said)
        except commands.Refused as refusal:
            self._warn(f"Refused: {refusal}")
        else:
            await self.record(events)

    async def add_note(self, text: str, begun_in: str) -> None:
        """Write what the console saw into the timeline."""
        session, incident = self._session, self._incident(begun_in)
        if incident is not None:
            text = session.step_services.redactor.text(text)
            await self.record(commands.note(incident, text, **session.stamp(), by="console"))

    async def add_action(self, text: str, kind: str, begun_in: str) -> None:
        """Add an action item of a kind such as "prevent", unless it is there already."""
        session, incident = self._session, self._incident(begun_in)
        if incident is not None and all(action.text != text for action in incident.actions.values()):
            await self.record(commands.add_action(incident, text, kind, **session.stamp(), by="console"))

    def _incident(self, begun_in: str) -> Incident | None:
        """Return the incident that the end of a step belongs to, be it over; a merged one is followed."""
        journal = self._session.journal
        found = journal.incident(begun_in) if begun_in else self._session.incident
        known = set()
        while found is not None and found.state == "merged" and found.id not in known:
            known.add(found.id)
            found = journal.incident(found.merged_into or "") or found
        return found


def ran_data(
    outcome: Outcome, inputs: Mapping[str, str], reason: str, *, secret_output: bool
) -> dict[str, object]:
    """Return an outcome, which is redacted, as the bounded data of a `ran` event."""
    data: dict[str, object] = {
        "step": outcome.step,
        "command": plain_block(outcome.command)[:COMMAND_LIMIT],
        "effect": outcome.effect,
        "exit_code": outcome.exit_code,
        "duration_ms": outcome.duration_ms,
        "output": "(masked)" if secret_output else plain_block(outcome.output)[:STORED],
        "truncated": outcome.truncated,
        "result": plain_block(outcome.result)[:RESULT_LIMIT],
    }
    if outcome.met is not None:
        data["met"] = outcome.met
    if inputs:
        data["inputs"] = dict(inputs)
    if reason:
        data["reason"] = reason
    return data


def _unseen_symptoms(outcome: Outcome, incident: Incident, runbook: Runbook) -> list[str]:
    """Return the keys of the symptoms that an output shows and that are not yet marked as seen."""
    keys = [_symptom_key(symptom, runbook) for symptom in outcome.symptoms]
    return [key for key in keys if (known := incident.symptoms.get(key)) is None or not known.seen]


def _symptom_key(symptom: str, runbook: Runbook) -> str:
    """Return a symptom's key in the incident, which includes its issue."""
    for issue in runbook.issues:
        if any(known.id == symptom for known in issue.symptoms):
            return f"{issue.id}/{symptom}"
    return symptom
