"""What should ring: each thing once in every console, and everything that was found late together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from isla_console.incident.record.state import Incident
from isla_console.incident.record.words import OUTCOME_WORDS
from isla_console.incident.rules.cadence import ring_times, updates
from isla_console.incident.rules.escalation import LATE_AFTER, Target, ladder
from isla_console.incident.rules.postmortem import postmortem
from isla_console.incident.rules.quiet import quiet_since
from isla_console.incident.rules.soak import soak
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text, minutes, utc_text

_LOUDNESS = ("soft", "due", "nag", "red")


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something to ring for now.

    Attributes:
        key: Goes into the set of what this console has rung for already.
        text: One line for the banner.
        at: When it was really due, aware UTC.
        level: How loud it is: `soft`, `due`, `nag` or `red`.
    """

    key: str
    text: str
    at: datetime
    level: str


@dataclass(frozen=True, slots=True)
class _Subject:
    """One thing to ring for: the stages it has passed, each `(key, at, loudness)`, and its text."""

    stages: tuple[tuple[str, datetime, str], ...]
    text: str


def alarms(incident: Incident, now: datetime, rung: Iterable[str]) -> tuple[Alarm, ...]:
    """Return what has come due and has not been rung for yet.

    A later stage covers the earlier ones. Everything that is found more than 5 s late makes
    one alarm that lists it all.

    Args:
        incident: The incident as it is.
        now: Aware UTC.
        rung: The keys of the alarms this console has rung for already.
    """
    heard = {part for key in rung for part in key.split(_KEY_SEPARATOR)}
    late: list[_Subject] = []
    found: list[Alarm] = []
    for subject in _all_subjects(incident, now):
        key, at, _ = subject.stages[-1]
        if key in heard:
            continue
        if now - at > LATE_AFTER:
            late.append(subject)
        else:
            found.append(_make_alarm([subject]))
    if late:
        found.insert(0, _make_alarm(late))
    return tuple(found)


def heard_before(incident: Incident) -> frozenset[str]:
    """Return the keys that had been rung for by the time of the incident's last journalled event.

    For a console that opens: the person who wrote that event had a console open and heard them.
    Nobody heard of a level that was due and that no console has journalled.
    """
    known = {due.level for due in incident.level_dues}
    missed = {
        _alarm_key(incident, "level", rung.level)
        for rung in ladder(incident, incident.last_recorded_at)
        if rung.level not in known and rung.cause != "by_hand"
    }
    return frozenset(
        key
        for subject in _all_subjects(incident, incident.last_recorded_at)
        if subject.stages[0][0] not in missed
        for key, _, _ in subject.stages
    )


_KEY_SEPARATOR = "|"


def _make_alarm(subjects: list[_Subject]) -> Alarm:
    keys = [key for subject in subjects for key, _, _ in subject.stages]
    loudest = max((subject.stages[-1][2] for subject in subjects), key=_LOUDNESS.index)
    earliest = min(subject.stages[0][1] for subject in subjects)
    return Alarm(_KEY_SEPARATOR.join(keys), "; ".join(s.text for s in subjects), earliest, loudest)


def _all_subjects(incident: Incident, now: datetime) -> list[_Subject]:
    found = [
        *_level_subjects(incident, now),
        *_update_subjects(incident, now),
        _quiet_subject(incident, now),
        _hold_over_subject(incident, now),
        _soak_subject(incident, now),
        _postmortem_subject(incident, now),
    ]
    return [subject for subject in found if subject is not None and subject.stages]


def _level_subjects(incident: Incident, now: datetime) -> list[_Subject]:
    subjects: list[_Subject] = []
    if incident.ended_at is not None:
        return subjects  # nobody is called any more
    for rung in ladder(incident, now):
        if not rung.is_engaged or not rung.due_at or not rung.from_min:
            continue
        if rung.acknowledged_by and not rung.waiting_for:
            continue
        key = _alarm_key(incident, "level", rung.level)
        # Called by hand it rings for nobody at once: whoever called knows.
        first = "soft" if rung.cause == "by_hand" else "due"
        stages = [(key, rung.due_at, first)]
        if rung.nag != "none":
            last = len(incident.policy.nag_min) - 1
            for index, after in enumerate(incident.policy.nag_min):
                at = rung.due_at + minutes(after)
                if at <= now:
                    stages.append((f"{key}:nag{after:g}", at, "red" if index == last else "nag"))
        whom = ", ".join(_call_text(target, now) for target in rung.whom if target.state != "on_it")
        when = clock_text(rung.due_at, now)
        ago = now - rung.due_at
        late = f", {span_text(ago)} ago" if ago > LATE_AFTER else ""
        text = f"{rung.level} due {when}{late}: call {whom}"
        subjects.append(_Subject(tuple(stages), text))
    return subjects


def _call_text(target: Target, now: datetime) -> str:
    if target.state == "open" or target.at is None:
        return target.target
    return f"{target.target} ({OUTCOME_WORDS.get(target.state, target.state)} {clock_text(target.at, now)})"


def _update_subjects(incident: Incident, now: datetime) -> list[_Subject]:
    subjects = []
    for due in updates(incident, now):
        if due.due_at is None or due.stage == "snoozed":
            continue
        base = _alarm_key(incident, "update", due.clock, utc_text(due.due_at))
        if due.ring_from is not None:
            base = f"{base}:{utc_text(due.ring_from)}"
        stages = tuple(
            (f"{base}:{name}", at, name) for at, name in ring_times(due.due_at, due.ring_from) if at <= now
        )
        when = clock_text(due.due_at, now)
        if due.overdue_s:
            text = f"{due.label} due {when}, {span_text(due.overdue_s)} ago"
        else:
            left = (due.due_at - now).total_seconds()
            text = f"{due.label} due {when}" + (f", in {span_text(left)}" if left else "")
        subjects.append(_Subject(stages, text))
    return subjects


def _quiet_subject(incident: Incident, now: datetime) -> _Subject | None:
    asked = quiet_since(incident, now)
    if asked is None:
        return None
    quiet = span_text(now - incident.last_human_at)
    key = _alarm_key(incident, "quiet", utc_text(asked))
    return _Subject(((key, asked, "due"),), f"still on it? nobody did anything for {quiet}")


def _hold_over_subject(incident: Incident, now: datetime) -> _Subject | None:
    if not incident.holds or not incident.is_active:
        return None
    hold = max(incident.holds, key=lambda hold: hold.until)
    if hold.ended_by_hand or hold.until > now:
        return None
    key = _alarm_key(incident, "hold", utc_text(hold.started_at))
    text = f"the hold ended {clock_text(hold.until, now)}: the escalation clock runs"
    return _Subject(((key, hold.until, "soft"),), text)


def _soak_subject(incident: Incident, now: datetime) -> _Subject | None:
    if incident.state != "monitoring":
        return None
    checked = soak(incident, now)
    if not checked.is_green or checked.ready_at is None:
        return None
    at = max(checked.ready_at, incident.states[-1].at)
    key = _alarm_key(incident, "soak", utc_text(at))
    return _Subject(((key, at, "soft"),), f"{checked.sentence}: resolve")


def _postmortem_subject(incident: Incident, now: datetime) -> _Subject | None:
    due = postmortem(incident, now)
    if not due.is_overdue or due.due_at is None:
        return None
    key = _alarm_key(incident, "postmortem", utc_text(due.due_at))
    owner = f" ({due.owner})" if due.owner else ""
    text = f"the post-mortem{owner} was due {clock_text(due.due_at, now)}"
    return _Subject(((key, due.due_at, "due"),), text)


def _alarm_key(incident: Incident, *parts: str) -> str:
    return ":".join((incident.id, *parts))
