"""The kinds of event and the data each carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from isla_console.incident.record.bounds import DURATION_MS, SPAN, WHOLE, time_problem
from isla_console.incident.record.policy import Policy, PolicyError
from isla_console.text.times import parse_utc

Check = Callable[[Any], str | None]
"""Looks at one value and says what is wrong with it; None if nothing is."""

STATES = (
    "investigating",
    "identified",
    "mitigating",
    "monitoring",
    "resolved",
    "closed",
    "cancelled",
)
MEASURED_STATES = ("ok", "elevated", "alert", "stale", "unknown", "blind")
"""The states of a metric or a probe."""
ROLES = ("commander", "investigator", "communicator")
AUDIENCES = ("public", "customer", "internal")
OUTCOMES = ("answered", "message", "no_answer")
"""What came of calling somebody."""
CAUSES = ("time", "severity", "adjustment")
ACTION_TYPES = ("prevent", "detect", "mitigate", "process")
POSTMORTEM_STATES = ("draft", "in_review", "published")


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "expected text that is not empty"


def _any_text(value: Any) -> str | None:
    return None if isinstance(value, str) else "expected text"


def _whole(value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool)
    return WHOLE.problem(value) if good else "expected a whole number"


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "expected true or false"


def _scalar(value: Any) -> str | None:
    return None if isinstance(value, str | int | float) else "expected text or a number"


def _mapping(value: Any) -> str | None:
    return None if isinstance(value, dict) else "expected an object"


def _texts(value: Any) -> str | None:
    good = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return None if good else "expected a list of texts"


def _first_seen(value: Any) -> str | None:
    if not isinstance(value, list | tuple) or not all(isinstance(item, dict) for item in value):
        return "expected a list of objects"
    for item in value:
        if _text(item.get("name")) or _text(item.get("kind")) or _time(item.get("at")):
            return "expected a name, a kind and a time in each"
    return None


def _time(value: Any) -> str | None:
    if not isinstance(value, str):
        return "expected a time such as 2026-11-23T14:00:00Z"
    try:
        return time_problem(parse_utc(value))
    except ValueError as error:
        return str(error)


def _policy(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "expected an object"
    try:
        Policy.from_dict(value)
    except PolicyError as error:
        return str(error)
    return None


def _one_of(*choices: str) -> Check:
    allowed = frozenset(choices)
    expected = "expected one of " + ", ".join(choices)

    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and value in allowed else expected

    return check


_BY = {"by?": _one_of("console")}
_REASON = {"reason?": _any_text}
_LEVEL = {"level": _text}
_AUDIENCE = {"audience": _one_of(*AUDIENCES), "template?": _text}
_ROLE = {"role": _one_of(*ROLES), "person": _text}
_CHANGED = {"name": _text, "from": _any_text, "to": _any_text, "value?": _scalar}
_STEP = {"step": _text, "result?": _any_text, "reason?": _any_text}
_SAID = {**_AUDIENCE, "text": _any_text, "via?": _any_text}
_SYMPTOM = {"symptom": _text, "by": _one_of("measured", "person"), "value?": _scalar}

# A name that ends in "?" is optional. `by` tells apart what the console wrote or saw and what people did.
KINDS: Mapping[str, Mapping[str, Check]] = {
    "declared": {
        "severity": _text,
        "title": _text,
        "issue?": _text,
        "impact?": _any_text,
        "impact_started_at?": _time,
        "policy": _policy,
        "runbook_sha256": _any_text,
        "first_seen?": _first_seen,
        "names?": _mapping,
    },
    "severity_changed": {"severity": _text, **_REASON},
    "impact_changed": {"impact": _any_text},
    "impact_start_adjusted": {"impact_started_at": _time, "reason": _text},
    "state_changed": {"state": _one_of(*STATES), **_REASON},
    "merged": {"into": _text},
    "took_in": {"incident": _text, "title?": _any_text},
    "role_offered": _ROLE,
    "role_accepted": _ROLE,
    "role_released": _ROLE,
    "level_due": {**_LEVEL, "due_at": _time, "late": _flag, "cause": _one_of(*CAUSES)},
    "called": {
        **_LEVEL,
        "target": _text,
        "person?": _any_text,
        "via": _text,
        "outcome": _one_of(*OUTCOMES),
    },
    "acknowledged": {**_LEVEL, "person": _text, "target?": _text, "via?": _any_text},
    "level_waived": {**_LEVEL, "reason": _text},
    "escalated": {**_LEVEL, **_REASON},
    "hold_started": {"reason": _text, "until": _time},
    "hold_ended": {},
    "update_drafted": {**_SAID, **_BY},
    "update_copied": {**_AUDIENCE, "text?": _any_text, "via?": _any_text},
    "update_sent": _SAID,
    "update_snoozed": {**_AUDIENCE, "minutes": SPAN.problem, "reason": _text},
    "symptom_seen": _SYMPTOM,
    "symptom_denied": _SYMPTOM,
    "step_done": _STEP,
    "step_undone": _STEP,
    "step_skipped": _STEP,
    "ran": {
        "step?": _any_text,
        "command": _any_text,
        "effect": _any_text,
        "exit_code": _whole,
        "duration_ms": DURATION_MS.problem,
        "output": _any_text,
        "truncated": _flag,
    },
    "queried": {
        "step?": _any_text,
        "sql": _any_text,
        "mode": _one_of("read", "write"),
        "rows": _whole,
        "duration_ms": DURATION_MS.problem,
        "outcome": _one_of("ok", "error", "committed", "rolled_back"),
    },
    "sessions_ended": {
        "application": _any_text,
        "role": _any_text,
        "asked": _whole,
        "ended": _whole,
        "sessions": _texts,
        "problem?": _any_text,
        "duration_ms": DURATION_MS.problem,
    },
    "metric_changed": _CHANGED,
    "probe_changed": _CHANGED,
    "vendor_changed": _CHANGED,
    "link_changed": _CHANGED,
    "noted": {"text": _text, **_BY},
    "decided": {"text": _text, "issue?": _text},
    "action_added": {
        "action": _text,
        "text": _text,
        "owner?": _any_text,
        "due?": _any_text,
        "type": _one_of(*ACTION_TYPES),
        **_BY,
    },
    "action_done": {"action": _text},
    "checklist_ticked": {"item": _text, "evidence?": _any_text},
    "checklist_unticked": {"item": _text},
    "checklist_na": {"item": _text, "reason": _text},
    "overruled": {"claim": _text, "evidence": _texts, "reason": _text, "item?": _text, "state?": _text},
    "postmortem_changed": {"state": _one_of(*POSTMORTEM_STATES), "owner?": _any_text},
    "corrected": {"event": _text, "data": _mapping, "occurred_at?": _time},
    "console_opened": {"version": _any_text},
    "console_closed": {"version?": _any_text},
}

MACHINE_KINDS = frozenset(
    {
        "level_due",
        "metric_changed",
        "probe_changed",
        "vendor_changed",
        "link_changed",
        "console_opened",
        "console_closed",
    }
)
"""The kinds that the console itself writes; every other known kind is something a person did, unless the
event says otherwise.
"""
NOT_PEOPLE = ("console", "measured")
"""The values of `by` that say so."""

_CHECKS = {
    kind: tuple((name.rstrip("?"), name.endswith("?"), check) for name, check in fields.items())
    for kind, fields in KINDS.items()
}


def problems(kind: str, data: Mapping[str, Any]) -> list[str]:
    """List what is wrong with `data` for an event of this kind, such as `["data.until: missing"]`.

    An unknown kind, and an unknown field of a known one, come from a newer console and
    are accepted. A null in an optional field counts as left out.
    """
    found = []
    for name, optional, check in _CHECKS.get(kind, ()):
        value = data.get(name)
        if value is None:
            if not optional:
                found.append(f"data.{name}: missing")
            continue
        wrong = check(value)
        if wrong is not None:
            found.append(f"data.{name}: {wrong}")
    if kind == "declared" and not found and data["severity"] not in data["policy"]["severities"]:
        found.append("data.severity: not one of the policy's severities")
    return found
