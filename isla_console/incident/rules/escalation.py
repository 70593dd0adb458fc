"""The escalation ladder: when each level is due, whom it calls, and what is to be journalled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from isla_console.incident.record.events import Author, Event, derived_id, event
from isla_console.incident.record.facts import LevelAct, LevelDue
from isla_console.incident.record.policy import Level
from isla_console.incident.record.state import Incident
from isla_console.incident.record.words import OUTCOME_WORDS, comparable_name, same_person
from isla_console.incident.rules.clocks import Span, e_reaches, running_spans
from isla_console.text.times import clock_text, minutes, parse_utc, utc_text

LATE_AFTER = timedelta(seconds=5)
"""A crossing written down later than this after it was due is late.

An open console ticks every second, so anything slower means that none was open.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """One of those whom a level calls, and what is known of them.

    Attributes:
        target: The target, as the level or who called them names it.
        state: `open` (nobody was called), `no_answer`, `message` or `answered` (what came of the last call),
            or `on_it` (they said that they are on it, or somebody said so for them).
        at: When that was; None while it is open.
        person: Who was called, or who is on it; "" where nobody said.
        by: Who wrote it down.
        via: By which way, else "".
    """

    target: str
    state: str
    at: datetime | None = None
    person: str = ""
    by: str = ""
    via: str = ""


@dataclass(frozen=True, slots=True)
class Rung:
    """One level of the ladder at a given time.

    Attributes:
        level: The level's id.
        targets: The people or roles it calls.
        from_min: Minutes of escalation time at which this severity calls it; None for never by itself.
        due_at: When it was or will be due; None also while the escalation clock does not run.
        due_in_s: Seconds until `due_at`, negative once it has passed.
        status: `current` (the highest engaged), `engaged`, `upcoming`, `waived`, `silent` (this severity
            never calls it) or `by_hand` (this severity calls nobody by itself).
        late: Whether the crossing was found late.
        cause: `time`, `severity`, `adjustment` or `by_hand`, once it is engaged.
        whom: Each target with its own state.
        acknowledged_by: The people who are on it.
        waiting_for: The targets that are nagged, because nobody said that they are on it.
        nag: `none`, `due`, `nag` or `red`.
        nag_at: When the targets are nagged next.
        reason: Why it was waived, else "".
    """

    level: str
    targets: tuple[str, ...]
    from_min: float | None
    due_at: datetime | None
    due_in_s: float | None
    status: str
    late: bool
    cause: str | None
    whom: tuple[Target, ...]
    acknowledged_by: tuple[str, ...]
    waiting_for: tuple[str, ...]
    nag: str
    nag_at: datetime | None
    reason: str

    @property
    def is_engaged(self) -> bool:
        """Whether the level has been called."""
        return self.status in ("current", "engaged")


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a level became due, and why: `time`, `severity` or `adjustment`."""

    level: str
    due_at: datetime
    cause: str


def ladder(incident: Incident, now: datetime) -> tuple[Rung, ...]:
    """Return every level in the policy's order, as of `now`."""
    spans = running_spans(incident)
    rungs = [_make_rung(incident, level, spans, now) for level in incident.policy.levels]
    engaged = [index for index, rung in enumerate(rungs) if rung.status == "engaged"]
    if engaged:
        rungs[engaged[-1]] = replace(rungs[engaged[-1]], status="current")
    return tuple(rungs)


def current_level(incident: Incident, now: datetime) -> str | None:
    """Return the id of the highest level engaged at `now`."""
    return next((rung.level for rung in ladder(incident, now) if rung.status == "current"), None)


def next_rung(incident: Incident, now: datetime) -> Rung | None:
    """Return the level that comes due next by itself, if one will."""
    coming = [rung for rung in ladder(incident, now) if rung.status == "upcoming" and rung.due_at]
    return min(coming, key=lambda rung: rung.due_at or now, default=None)


def crossings(incident: Incident, now: datetime) -> tuple[Mapping[str, Any], ...]:
    """Return the data of the `level_due` events that are not journalled yet, oldest first.

    `due_at` is when the level really was due; `late` is true when that is found more
    than 5 s afterwards.
    """
    found = []
    spans = running_spans(incident)
    for level in incident.policy.levels:
        if (
            level.from_min <= 0
            or _journalled_due(incident, level.id)
            or _escalation_by_hand(incident, level.id)
        ):
            continue
        crossing = _find_crossing(incident, level, spans, now)
        if crossing is not None and crossing.due_at <= now:
            found.append(crossing)
    found.sort(key=lambda crossing: crossing.due_at)
    return tuple(
        {
            "level": crossing.level,
            "due_at": utc_text(crossing.due_at),
            "late": now - crossing.due_at > LATE_AFTER,
            "cause": crossing.cause,
        }
        for crossing in found
    )


def crossing_events(incident: Incident, now: datetime, *, author: Author) -> list[Event]:
    """Return the `level_due` events to write now, with ids that are the same on every console."""
    return [
        event(
            "level_due",
            data,
            incident=incident.id,
            author=author,
            now=now,
            occurred_at=parse_utc(data["due_at"]),
            id=derived_id(incident.id, data["level"], data["cause"]),
        )
        for data in crossings(incident, now)
    ]


def _make_rung(incident: Incident, level: Level, spans: tuple[Span, ...], now: datetime) -> Rung:
    limit = _limit_min(incident, level, incident.severity)
    due_at, cause, late = _engagement(incident, level, spans, now)
    waiver = _waiver_in_force(incident, level.id)
    if due_at is not None and due_at <= now:
        status = "engaged"
    elif waiver is not None:
        status, due_at = "waived", None
    elif limit is None:
        status, due_at = _status_without_limit(incident), None
    else:
        status = "upcoming"
    whom = targets_of(incident, level)
    waiting: tuple[str, ...] = ()
    nag, nag_at = "none", None
    if status == "engaged" and due_at is not None and level.from_min > 0:
        waiting = tuple(target.target for target in whom if target.state != "on_it")
        if waiting and waiver is None and incident.is_active:
            nag, nag_at = _nag_stage(incident, due_at, now)
    return Rung(
        level=level.id,
        targets=level.targets,
        from_min=limit,
        due_at=due_at,
        due_in_s=None if due_at is None else (due_at - now).total_seconds(),
        status=status,
        late=late,
        cause=cause,
        whom=whom,
        acknowledged_by=tuple(
            dict.fromkeys(act.person for act in _acts_of_kind(incident, level.id, "acknowledged"))
        ),
        waiting_for=waiting,
        nag=nag,
        nag_at=nag_at,
        reason=waiver.text if waiver is not None else "",
    )


def _engagement(
    incident: Incident, level: Level, spans: tuple[Span, ...], now: datetime
) -> tuple[datetime | None, str | None, bool]:
    """Return when the level is or will be engaged, the cause, and whether that was found late."""
    if level.from_min <= 0:
        return incident.declared_at, "time", False
    journalled = _journalled_due(incident, level.id)
    by_hand = _escalation_by_hand(incident, level.id)
    if by_hand is not None and (journalled is None or by_hand.at <= journalled.due_at):
        return by_hand.at, "by_hand", False
    if journalled is not None:
        return journalled.due_at, journalled.cause, journalled.late
    crossing = _find_crossing(incident, level, spans, now)
    if crossing is None:
        return None, None, False
    passed = crossing.due_at <= now
    late = passed and now - crossing.due_at > LATE_AFTER
    return crossing.due_at, crossing.cause if passed else None, late


def _find_crossing(
    incident: Incident, level: Level, spans: tuple[Span, ...], now: datetime
) -> Crossing | None:
    """Find when the level is due: by the clock, by a raised severity or by a moved impact start.

    Looks at each stretch of time in which neither severity nor impact start changed. Within one,
    the level is due when E reaches the severity's limit. If E is past that limit when the stretch
    begins, the level is due at that moment, for the reason that began the stretch.
    """
    waiver = _waiver_in_force(incident, level.id)
    marks = sorted(
        [(change.at, "severity") for change in incident.severities[1:]]
        + [(start.at, "adjustment") for start in incident.impact_starts[1:]]
    )
    begins = [(incident.declared_at, "adjustment"), *marks]
    for index, (begin, cause) in enumerate(begins):
        end = begins[index + 1][0] if index + 1 < len(begins) else None
        limit = _limit_min(incident, level, _severity_at(incident, begin))
        if limit is None:
            continue
        known = _spans_known_at(incident, spans, begin)
        if not known:
            continue
        reached = e_reaches(known, limit * 60)
        if reached is None or (end is not None and reached >= end):
            continue
        if reached < begin:
            # Only while E runs: a severity raised in monitoring calls nobody, until it regresses.
            running = _running_from(known, begin)
            if running is None or (end is not None and running >= end):
                continue
            reached = running
        else:
            cause = "time"
        if waiver is not None and waiver.at <= reached:
            return None
        return Crossing(level.id, reached, cause)
    return None


def _spans_known_at(incident: Incident, spans: tuple[Span, ...], at: datetime) -> tuple[Span, ...]:
    """Return the spans of E with the impact start that was known at `at`."""
    start = incident.impact_starts[0].impact_started_at
    for known in incident.impact_starts:
        if known.at <= at:
            start = known.impact_started_at
    if not spans or spans[0][0] != incident.impact_started_at:
        return spans
    return ((start, spans[0][1]), *spans[1:])


def _running_from(spans: tuple[Span, ...], at: datetime) -> datetime | None:
    """Return the first moment from `at` on in which E runs."""
    for start, end in spans:
        if end is None or end > at:
            return max(start, at)
    return None


def _severity_at(incident: Incident, at: datetime) -> str:
    severity = incident.severities[0].severity
    for change in incident.severities:
        if change.at <= at:
            severity = change.severity
    return severity


def _limit_min(incident: Incident, level: Level, severity: str) -> float | None:
    """Return the minutes of E at which this severity calls the level; None for never by itself."""
    if level.from_min <= 0:
        return 0.0
    return incident.policy.rule(severity).ladder.get(level.id)


def _status_without_limit(incident: Incident) -> str:
    """Return the status of a level without a limit: `silent` if other levels have one, else `by_hand`."""
    timed = [
        level
        for level in incident.policy.levels
        if level.from_min > 0 and _limit_min(incident, level, incident.severity) is not None
    ]
    return "silent" if timed else "by_hand"


def _journalled_due(incident: Incident, level: str) -> LevelDue | None:
    found = [due for due in incident.level_dues if due.level == level]
    return min(found, key=lambda due: due.due_at, default=None)


def _acts_of_kind(incident: Incident, level: str, kind: str) -> list[LevelAct]:
    return [act for act in incident.level_acts if act.level == level and act.kind == kind]


def _escalation_by_hand(incident: Incident, level: str) -> LevelAct | None:
    acts = _acts_of_kind(incident, level, "escalated")
    return acts[0] if acts else None


def _waiver_in_force(incident: Incident, level: str) -> LevelAct | None:
    """Return the waiver in force; escalating by hand afterwards takes it back."""
    waivers = _acts_of_kind(incident, level, "level_waived")
    escalations = _acts_of_kind(incident, level, "escalated")
    if not waivers or (escalations and escalations[-1].at > waivers[-1].at):
        return None
    return waivers[0]


def target_text(target: Target, now: datetime) -> str:
    """Return a target with what is known of it, such as `Platform lead: no answer 14:31Z by phone (ana)`."""
    at = f" {clock_text(target.at, now)}" if target.at is not None else ""
    match target.state:
        case "open":
            said = "nobody yet"
        case "on_it":
            said = f"{target.person} on it{at}"
            if not same_person(target.by, target.person):
                said += f", says {target.by}"
        case state:
            via = f" by {target.via}" if target.via else ""
            said = f"{OUTCOME_WORDS.get(state, state)}{at}{via} ({target.by})"
    return f"{target.target}: {said}"


def targets_of(incident: Incident, level: Level) -> tuple[Target, ...]:
    """Return each target of a level with its state: the runbook's first, then others that were called.

    The last call counts, until somebody says that the target is on it, which no later call takes back.
    """
    found = {comparable_name(target): Target(target, "open") for target in level.targets}
    for act in incident.level_acts:
        if act.level != level.id:
            continue
        if act.kind == "called":
            key = comparable_name(act.target)
            known = found.get(key) or Target(act.target, "open")
            if known.state != "on_it":
                found[key] = Target(known.target, act.outcome, act.at, act.person, act.by, act.via)
        elif act.kind == "acknowledged":
            for key in _meant(act, found):
                if found[key].state != "on_it":
                    name = found[key].target
                    found[key] = Target(name, "on_it", act.at, act.person, act.by, act.via)
    return tuple(found.values())


def _meant(act: LevelAct, targets: Mapping[str, Target]) -> list[str]:
    """Return whom an acknowledgement answers for: the target or person it names, or the only one."""
    named = {comparable_name(act.target), comparable_name(act.person)} & targets.keys()
    if not named and not act.target and len(targets) == 1:
        return list(targets)
    return sorted(named)


def _nag_stage(incident: Incident, due_at: datetime, now: datetime) -> tuple[str, datetime | None]:
    """Return the stage of nagging, and when the next one comes."""
    nags = [due_at + minutes(after) for after in incident.policy.nag_min]
    coming = next((at for at in nags if at > now), None)
    if coming is None:
        return ("red" if nags else "due"), None
    return ("due" if coming == nags[0] else "nag"), coming
