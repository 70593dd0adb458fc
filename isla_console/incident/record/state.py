"""What an incident is now: a fold over its events.

The same events in any order, any number of times, give the same incident.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from isla_console.incident.record.events import Event
from isla_console.incident.record.facts import (
    Action,
    FirstSeen,
    Hold,
    ImpactStart,
    Incident,
    LevelAct,
    LevelDue,
    MeasuredChange,
    Note,
    Overruled,
    Role,
    SeverityChange,
    StateChange,
    StepRecord,
    Symptom,
    Tick,
    Update,
    is_known_change,
    text_of,
)
from isla_console.incident.record.kinds import KINDS, problems
from isla_console.incident.record.policy import Policy
from isla_console.text.times import parse_utc

__all__ = ["MAX_BACKDATE", "MAX_HOLD", "UNCORRECTABLE", "Incident", "Ledger", "fold"]

MAX_HOLD = timedelta(minutes=30)
MAX_BACKDATE = timedelta(hours=24)

_CADENCE_KINDS = frozenset(
    {
        "update_sent",
        "update_snoozed",
        "severity_changed",
        "state_changed",
        "impact_changed",
        "merged",
    }
)
_MEASURED_KINDS = frozenset({"metric_changed", "probe_changed", "vendor_changed", "link_changed"})
UNCORRECTABLE = frozenset({"declared", "corrected", "level_due", "console_opened", "console_closed"})
"""Kinds that cannot be corrected: what the console itself found, and the frozen policy."""


def fold(events: Iterable[Event]) -> Incident | None:
    """Fold the events of one incident; None when none of them declares it.

    Events are ordered by `(occurred_at, id)` and each id counts once, as does a change that several consoles
    measured. Nothing an event says raises: an unknown kind, or data that cannot be used, stays in the
    timeline and changes nothing.
    """
    ledger = Ledger()
    ledger.add(events)
    return ledger.incident


class Ledger:
    """The events of one incident and their fold, kept up to date as events arrive.

    Events later than all before are applied in place; anything else folds everything again.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Event] = {}
        self._draft: _Draft | None = None
        self._last: tuple[datetime, str] | None = None
        self._incident: Incident | None = None

    def add(self, events: Iterable[Event]) -> bool:
        """Take events in and return whether at least one of them was new."""
        new = {event.id: event for event in events if event.id not in self._by_id}
        if not new:
            return False
        self._by_id.update(new)
        # A whole journal comes at once when it is opened: that it is not sorted twice is felt there.
        ordered = sorted(new.values(), key=_order) if self._draft is not None else []
        appendable = (
            ordered
            and self._last is not None
            and _order(ordered[0]) > self._last
            and all(event.kind != "corrected" for event in ordered)
        )
        if appendable and self._draft is not None:
            for event in ordered:
                self._draft.apply(event)
            self._last = _order(ordered[-1])
        else:
            everything = sorted(self._by_id.values(), key=_order)
            self._draft = _Draft.of(everything)
            applied = self._draft.timeline[-1:] if self._draft is not None else []
            self._last = max(map(_order, (everything[-1], *applied)))
        self._incident = self._draft.freeze() if self._draft is not None else None
        return True

    @property
    def incident(self) -> Incident | None:
        """The fold so far; None until one of the events declares the incident."""
        return self._incident

    @property
    def problem(self) -> str:
        """Why the events make no incident; "" when they do."""
        if self._incident is not None:
            return ""
        declared = [event for event in self._by_id.values() if event.kind == "declared"]
        wrong = [problem for event in declared for problem in problems("declared", event.data)]
        return (
            f"its declaration cannot be used: {'; '.join(wrong)}"
            if declared
            else "it has none that declares it"
        )

    @property
    def events(self) -> tuple[Event, ...]:
        """The events as written, in fold order."""
        return tuple(sorted(self._by_id.values(), key=_order))


_order: Callable[[Event], tuple[datetime, str]] = attrgetter("occurred_at", "id")


def _corrections(events: list[Event]) -> dict[str, Event]:
    """Map each corrected event's id to the correction that counts: the last one that fits."""
    found: dict[str, Event] = {}
    kinds: dict[str, str] = {}
    for event in events:
        if event.kind == "corrected":
            if not kinds:
                kinds = {other.id: other.kind for other in events}
            target = event.data.get("event")
            kind = kinds.get(target) if isinstance(target, str) else None
            data = event.data.get("data")
            if (
                isinstance(target, str)
                and kind is not None
                and kind not in UNCORRECTABLE
                and isinstance(data, dict)
                and not problems(kind, data)
                and not problems("corrected", event.data)
            ):
                found[target] = event
    return found


class _Draft:
    """The incident while its events are applied, with one attribute for each field."""

    def __init__(self, declared: Event, corrections: dict[str, Event]) -> None:
        data = declared.data
        self.declared = declared
        self.corrections = corrections
        self.originals: dict[str, Event] = {}
        self.id = declared.incident
        self.title: str = data["title"]
        self.severity: str = data["severity"]
        self.state = "declared"
        self.issue: str | None = data.get("issue")
        self.impact: str = data.get("impact") or ""
        self.policy = Policy.from_dict(data["policy"])
        at = declared.occurred_at
        started = data.get("impact_started_at")
        self.impact_started_at = min(parse_utc(started), at) if started else at
        self.states = [StateChange("declared", at, declared.actor, "")]
        self.severities = [SeverityChange(self.severity, at, declared.actor, "")]
        self.impact_starts = [ImpactStart(self.impact_started_at, at, "")]
        self.holds: list[Hold] = []
        self.level_dues: list[LevelDue] = []
        self.level_acts: list[LevelAct] = []
        self.roles: dict[str, Role] = {}
        self.updates: list[Update] = []
        self.cadence_events: list[Event] = []
        self.symptoms: dict[str, Symptom] = {}
        self.steps: dict[str, StepRecord] = {}
        self.checklist = {
            item.id: Tick(item.id, item.text, "open", "", None, "", "") for item in self.policy.checklist
        }
        self.notes: list[Note] = []
        self.actions: dict[str, Action] = {}
        self.changes: list[MeasuredChange] = []
        self.first_seen = _first_seen(data.get("first_seen"))
        self.names = _names(data.get("names"))
        self.overruled: list[Overruled] = []
        self.took_in: list[str] = []
        self.postmortem_state: str | None = None
        self.postmortem_owner: str | None = None
        self.merged_into: str | None = None
        self.timeline: list[Event] = []
        self.unknown_kinds: dict[str, None] = {}
        self.unusable: dict[str, str] = {}
        self.last_human_at = at
        self.last_at = at
        self.last_recorded_at = declared.recorded_at

    @classmethod
    def of(cls, ordered: list[Event]) -> _Draft | None:
        """Apply everything in order; None when no event can declare the incident."""
        corrections = _corrections(ordered)
        draft = None
        for event in ordered:
            if event.kind == "declared" and not problems("declared", event.data):
                draft = cls(event, corrections)
                break
        if draft is not None:
            # A corrected time moves the event, so that what follows from it is computed anew.
            for event in sorted((draft.corrected(event) for event in ordered), key=_order):
                draft.apply(event)
        return draft

    def corrected(self, event: Event) -> Event:
        """Return an event as it was corrected, keeping what was written first."""
        correction = self.corrections.get(event.id)
        if correction is None:
            return event
        self.originals[event.id] = event
        moved = correction.data.get("occurred_at")
        at = parse_utc(moved) if moved is not None else event.occurred_at
        return replace(event, data=correction.data["data"], occurred_at=at)

    def apply(self, event: Event) -> None:
        """Apply one event, which comes after all applied before."""
        if event.occurred_at > self.last_at:
            self.last_at = event.occurred_at
        if event.recorded_at > self.last_recorded_at:
            self.last_recorded_at = event.recorded_at
        if event.is_human and event.occurred_at > self.last_human_at:
            self.last_human_at = event.occurred_at
        if event.kind in _MEASURED_KINDS:
            self.measured(event)
            return
        self.timeline.append(event)
        handler = _APPLY_BY_KIND.get(event.kind)
        if handler is None:
            if event.kind not in KINDS:
                self.unknown_kinds[event.kind] = None
            return
        # A journal keeps what older consoles let in; what rules count with must fit.
        if wrong := problems(event.kind, event.data):
            self.unusable[event.id] = "; ".join(wrong)
            return
        if event.kind in _CADENCE_KINDS:
            self.cadence_events.append(event)
        self.attempt(handler, event)

    def attempt(self, handler: Callable[[_Draft, Event, Any], None], event: Event) -> None:
        """Let a handler take the event; data of a shape this console cannot use is shown, not obeyed."""
        try:
            handler(self, event, event.data)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            self.unusable[event.id] = "; ".join(problems(event.kind, event.data)) or "its data does not fit"

    def measured(self, event: Event) -> None:
        """Apply a measured change, unless another console's entry says the same already."""
        known = len(self.changes)
        self.attempt(_Draft.change, event)
        if len(self.changes) > known or event.id in self.unusable:
            self.timeline.append(event)

    def freeze(self) -> Incident:
        """Return the incident as of the events applied so far."""
        return Incident(
            id=self.id,
            title=self.title,
            severity=self.severity,
            state=self.state,
            issue=self.issue,
            impact=self.impact,
            declared_at=self.declared.occurred_at,
            declared_by=self.declared.actor,
            impact_started_at=self.impact_started_at,
            policy=self.policy,
            runbook_sha256=text_of(self.declared.data.get("runbook_sha256")),
            states=tuple(self.states),
            severities=tuple(self.severities),
            impact_starts=tuple(self.impact_starts),
            holds=tuple(self.holds),
            level_dues=tuple(self.level_dues),
            level_acts=tuple(self.level_acts),
            roles=dict(self.roles),
            updates=tuple(self.updates),
            cadence_events=tuple(self.cadence_events),
            symptoms=dict(self.symptoms),
            steps=dict(self.steps),
            checklist=dict(self.checklist),
            notes=tuple(self.notes),
            actions=dict(self.actions),
            changes=tuple(self.changes),
            first_seen=self.first_seen,
            names=self.names,
            overruled=tuple(self.overruled),
            took_in=tuple(self.took_in),
            postmortem_state=self.postmortem_state,
            postmortem_owner=self.postmortem_owner,
            merged_into=self.merged_into,
            timeline=tuple(self.timeline),
            corrections=dict(self.corrections),
            originals=dict(self.originals),
            unknown_kinds=tuple(self.unknown_kinds),
            unusable=dict(self.unusable),
            last_human_at=self.last_human_at,
            last_at=self.last_at,
            last_recorded_at=self.last_recorded_at,
        )

    # One method for each kind, or family of kinds, of event.

    def severity_changed(self, event: Event, data: Any) -> None:
        if data["severity"] in self.policy.severities:
            self.severity = data["severity"]
            self.severities.append(
                SeverityChange(self.severity, event.occurred_at, event.actor, text_of(data.get("reason")))
            )

    def impact_changed(self, event: Event, data: Any) -> None:
        self.impact = data["impact"]

    def impact_start_adjusted(self, event: Event, data: Any) -> None:
        declared = self.declared.occurred_at
        started = parse_utc(data["impact_started_at"])
        started = max(min(started, declared), declared - MAX_BACKDATE)
        self.impact_started_at = started
        self.impact_starts.append(ImpactStart(started, event.occurred_at, data["reason"]))

    def state_changed(self, event: Event, data: Any) -> None:
        self.state = data["state"]
        at = max(event.occurred_at, self.states[-1].at)
        self.states.append(StateChange(self.state, at, event.actor, text_of(data.get("reason"))))
        self.merged_into = None

    def merged(self, event: Event, data: Any) -> None:
        self.state = "merged"
        self.merged_into = data["into"]
        at = max(event.occurred_at, self.states[-1].at)
        self.states.append(StateChange("merged", at, event.actor, f"into {data['into']}"))

    def role(self, event: Event, data: Any) -> None:
        name, person, at = data["role"], data["person"], event.occurred_at
        role = self.roles.get(name) or Role(name, None, None, None, None)
        if event.kind == "role_offered":
            role = replace(role, offered_to=person, offered_at=at)
        elif event.kind == "role_accepted":
            role = Role(name, person, at, None, None)
        elif person == role.holder:
            role = replace(role, holder=None, since=None)
        elif person == role.offered_to:
            role = replace(role, offered_to=None, offered_at=None)
        self.roles[name] = role

    def level_due(self, event: Event, data: Any) -> None:
        due_at = parse_utc(data["due_at"])
        self.level_dues.append(
            LevelDue(data["level"], due_at, data["late"], data["cause"], event.recorded_at)
        )

    def level_act(self, event: Event, data: Any) -> None:
        self.level_acts.append(
            LevelAct(
                kind=event.kind,
                level=data["level"],
                at=event.occurred_at,
                by=event.actor,
                person=text_of(data.get("person")),
                target=text_of(data.get("target")),
                text=text_of(data.get("reason")),
                via=text_of(data.get("via")),
                outcome=text_of(data.get("outcome")),
            )
        )

    def hold_started(self, event: Event, data: Any) -> None:
        at = event.occurred_at
        until = max(at, min(parse_utc(data["until"]), at + MAX_HOLD))
        self.holds.append(Hold(at, until, data["reason"], event.actor, False))

    def hold_ended(self, event: Event, data: Any) -> None:
        at = event.occurred_at
        self.holds = [
            replace(hold, until=max(at, hold.started_at), ended_by_hand=True) if at < hold.until else hold
            for hold in self.holds
        ]

    def update(self, event: Event, data: Any) -> None:
        self.updates.append(
            Update(
                audience=data["audience"],
                template=text_of(data.get("template")),
                clock=self.policy.clock_of(data.get("template"), data["audience"]) or "",
                stage=event.kind.removeprefix("update_"),
                at=event.occurred_at,
                by=event.who,
                text=text_of(data.get("text")),
                via=text_of(data.get("via")),
                minutes=float(data.get("minutes") or 0),
                reason=text_of(data.get("reason")),
            )
        )

    def symptom(self, event: Event, data: Any) -> None:
        self.symptoms[data["symptom"]] = Symptom(
            symptom=data["symptom"],
            seen=event.kind == "symptom_seen",
            by=data["by"],
            actor=event.actor,
            at=event.occurred_at,
            value=text_of(data.get("value")),
        )

    def step(self, event: Event, data: Any) -> None:
        known = self.steps.get(data["step"])
        done_twice = known is not None and event.kind == "step_done" and known.state == "done"
        if done_twice and not data.get("result"):
            return  # several consoles marked it at once: the first did it
        self.steps[data["step"]] = StepRecord(
            step=data["step"],
            state=event.kind.removeprefix("step_"),
            at=event.occurred_at,
            by=event.actor,
            result=text_of(data.get("result")),
            reason=text_of(data.get("reason")),
        )

    def change(self, event: Event, data: Any) -> None:
        change = MeasuredChange(
            kind=event.kind.removesuffix("_changed"),
            name=str(data["name"]),
            before=str(data["from"]),
            after=str(data["to"]),
            value=text_of(data.get("value")),
            at=event.occurred_at,
            by=f"{event.actor}@{event.host}",
        )
        if not is_known_change(change, self.changes):
            self.changes.append(change)

    def note(self, event: Event, data: Any) -> None:
        decision = event.kind == "decided"
        if decision and data.get("issue"):
            self.issue = data["issue"]
        self.notes.append(
            Note(
                event.id,
                event.occurred_at,
                event.recorded_at,
                event.who,
                data["text"],
                decision,
            )
        )

    def action_added(self, event: Event, data: Any) -> None:
        done = self.actions.get(data["action"])
        self.actions[data["action"]] = Action(
            action=data["action"],
            text=data["text"],
            owner=text_of(data.get("owner")),
            due=text_of(data.get("due")),
            type=data["type"],
            by=event.who,
            added_at=event.occurred_at,
            done_at=done.done_at if done else None,
        )

    def action_done(self, event: Event, data: Any) -> None:
        action = self.actions[data["action"]]
        self.actions[data["action"]] = replace(action, done_at=event.occurred_at)

    def tick(self, event: Event, data: Any) -> None:
        item = data["item"]
        known = self.checklist.get(item)
        text = known.text if known else item
        state = {"checklist_ticked": "ticked", "checklist_na": "na"}.get(event.kind, "open")
        if known is not None and known.state == state == "ticked":
            return  # several consoles ticked it at once: the first did it
        self.checklist[item] = Tick(
            item=item,
            text=text,
            state=state,
            by=event.actor,
            at=event.occurred_at,
            evidence=text_of(data.get("evidence")),
            reason=text_of(data.get("reason")),
        )

    def overrule(self, event: Event, data: Any) -> None:
        self.overruled.append(
            Overruled(
                claim=data["claim"],
                evidence=tuple(data["evidence"]),
                reason=data["reason"],
                item=text_of(data.get("item")),
                state=text_of(data.get("state")),
                by=event.actor,
                at=event.occurred_at,
            )
        )

    def take_in(self, event: Event, data: Any) -> None:
        self.took_in.append(data["incident"])

    def postmortem(self, event: Event, data: Any) -> None:
        self.postmortem_state = data["state"]
        if data.get("owner"):
            self.postmortem_owner = data["owner"]


def _first_seen(source: Any) -> tuple[FirstSeen, ...]:
    found = [
        FirstSeen(
            kind=item["kind"],
            name=item["name"],
            at=parse_utc(item["at"]),
            state=text_of(item.get("state")),
            value=text_of(item.get("value")),
        )
        for item in source or ()
    ]
    return tuple(sorted(found, key=lambda seen: (seen.at, seen.name)))


def _names(source: Any) -> dict[str, dict[str, str]]:
    """Read the names that the declaration froze; what is no text is left out."""
    return {
        family: {id: name for id, name in names.items() if isinstance(name, str)}
        for family, names in (source or {}).items()
        if isinstance(names, dict)
    }


_APPLY_BY_KIND: dict[str, Callable[[_Draft, Event, Any], None]] = {
    "severity_changed": _Draft.severity_changed,
    "impact_changed": _Draft.impact_changed,
    "impact_start_adjusted": _Draft.impact_start_adjusted,
    "state_changed": _Draft.state_changed,
    "merged": _Draft.merged,
    "took_in": _Draft.take_in,
    "role_offered": _Draft.role,
    "role_accepted": _Draft.role,
    "role_released": _Draft.role,
    "level_due": _Draft.level_due,
    "called": _Draft.level_act,
    "acknowledged": _Draft.level_act,
    "level_waived": _Draft.level_act,
    "escalated": _Draft.level_act,
    "hold_started": _Draft.hold_started,
    "hold_ended": _Draft.hold_ended,
    "update_drafted": _Draft.update,
    "update_copied": _Draft.update,
    "update_sent": _Draft.update,
    "update_snoozed": _Draft.update,
    "symptom_seen": _Draft.symptom,
    "symptom_denied": _Draft.symptom,
    "step_done": _Draft.step,
    "step_undone": _Draft.step,
    "step_skipped": _Draft.step,
    "noted": _Draft.note,
    "decided": _Draft.note,
    "action_added": _Draft.action_added,
    "action_done": _Draft.action_done,
    "checklist_ticked": _Draft.tick,
    "checklist_unticked": _Draft.tick,
    "checklist_na": _Draft.tick,
    "overruled": _Draft.overrule,
    "postmortem_changed": _Draft.postmortem,
}
