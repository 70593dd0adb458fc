"""An event in words, on one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.text.plain import plain
from isla_console.text.spans import took_text
from isla_console.text.times import clock_text, parse_utc

Data = Mapping[str, Any]


def sentence(event: Event, incident: Incident) -> str:
    """Say in one line what happened, such as `ana declared P1: Redirects down`.

    An unknown kind is named as it is, and data that a newer console shaped otherwise is shown raw.
    Control characters become visible pictures.
    """
    phrase = _PHRASES.get(event.kind)
    try:
        text = phrase(event.data, incident) if phrase else _raw(event)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError):
        text = _raw(event)
    who = f"{event.actor} " if event.is_human else ""
    return plain(f"{who}{text}")


def phrase(event: Event) -> str:
    """Say in one line what happened where there is no incident to name its parts by."""
    said = event.data.get("text") or event.data.get("title")
    who = f"{event.actor} " if event.is_human else ""
    text = f"{event.kind.replace('_', ' ')}: {said}" if isinstance(said, str) else _raw(event)
    return plain(f"{who}{text}")[:1000]


def _raw(event: Event) -> str:
    fields = ", ".join(f"{name}: {value}" for name, value in event.data.items())
    return event.kind.replace("_", " ") + (f" ({fields})" if fields else "")


def _checklist_text(data: Data, incident: Incident) -> str:
    tick = incident.checklist.get(data["item"])
    return f"“{tick.text if tick else data['item']}”"


def _reason(data: Data, name: str = "reason") -> str:
    return f": {data[name]}" if data.get(name) else ""


def _measured_change(data: Data, _: Incident) -> str:
    value = data.get("value")
    return f"{data['name']}: {data['from']} → {data['to']}" + ("" if value in (None, "") else f" ({value})")


def _step(data: Data, verb: str) -> str:
    return f"{verb} {data['step']}{_reason(data, 'result')}{_reason(data)}"


def _update(data: Data, verb: str) -> str:
    via = f" by {data['via']}" if data.get("via") else ""
    return f"{verb} the {data['audience']} update{via}"


def _ran(data: Data, _: Incident) -> str:
    what = data.get("step") or data["command"]
    took = took_text(data["duration_ms"] / 1000)
    return f"ran {what} ({data['effect']}): exit {data['exit_code']} in {took}"


def _queried(data: Data, _: Incident) -> str:
    what = data.get("step") or data["sql"]
    rows = "1 row" if data["rows"] == 1 else f"{data['rows']} rows"
    took = took_text(data["duration_ms"] / 1000)
    return f"queried {what} ({data['mode']}): {rows}, {data['outcome']} in {took}"


def _level_due(data: Data, _: Incident) -> str:
    causes = {"severity": ", by the raised severity", "adjustment": ", by the impact start"}
    late = " (found late)" if data["late"] else ""
    return f"{data['level']} is due{causes.get(data['cause'], '')}{late}"


def _level_notified(data: Data, _: Incident) -> str:
    whom = f"{data['person']} for {data['level']}" if data.get("person") else str(data["level"])
    return f"called {whom}" + (f" by {data['via']}" if data.get("via") else "")


def _acknowledged(data: Data, _: Incident) -> str:
    target = f" for {data['target']}" if data.get("target") else ""
    return f"acknowledged {data['level']}: {data['person']}{target} is on it"


def _time(text: Any, incident: Incident) -> str:
    return clock_text(parse_utc(str(text)), incident.declared_at)


_PHRASES: dict[str, Callable[[Data, Incident], str]] = {
    "declared": lambda d, i: f"declared {d['severity']}: {d['title']}",
    "severity_changed": lambda d, i: f"set the severity to {d['severity']}{_reason(d)}",
    "impact_changed": lambda d, i: f"said the impact: {d['impact']}",
    "impact_start_adjusted": lambda d, i: (
        f"moved the impact start to {_time(d['impact_started_at'], i)}{_reason(d)}"
    ),
    "state_changed": lambda d, i: f"set it {d['state']}{_reason(d)}",
    "merged": lambda d, i: f"merged it into {d['into']}",
    "role_offered": lambda d, i: f"offered {d['role']} to {d['person']}",
    "role_accepted": lambda d, i: f"made {d['person']} {d['role']}",
    "role_released": lambda d, i: f"released {d['person']} as {d['role']}",
    "level_due": _level_due,
    "level_notified": _level_notified,
    "acknowledged": _acknowledged,
    "level_waived": lambda d, i: f"waived {d['level']}{_reason(d)}",
    "escalated": lambda d, i: f"escalated to {d['level']} by hand{_reason(d)}",
    "hold_started": lambda d, i: f"held the ladder until {_time(d['until'], i)}{_reason(d)}",
    "hold_ended": lambda d, i: "ended the hold",
    "update_drafted": lambda d, i: _update(d, "drafted"),
    "update_copied": lambda d, i: _update(d, "copied"),
    "update_sent": lambda d, i: _update(d, "sent"),
    "update_snoozed": lambda d, i: f"snoozed the {d['audience']} update {d['minutes']:g} min{_reason(d)}",
    "symptom_seen": lambda d, i: f"saw the symptom {d['symptom']} ({d['by']})",
    "symptom_denied": lambda d, i: f"did not see the symptom {d['symptom']} ({d['by']})",
    "step_done": lambda d, i: _step(d, "did"),
    "step_undone": lambda d, i: _step(d, "reopened"),
    "step_skipped": lambda d, i: _step(d, "skipped"),
    "ran": _ran,
    "queried": _queried,
    "metric_changed": _measured_change,
    "probe_changed": _measured_change,
    "vendor_changed": _measured_change,
    "link_changed": _measured_change,
    "noted": lambda d, i: f"noted: {d['text']}",
    "decided": lambda d, i: f"decided: {d['text']}",
    "action_added": lambda d, i: f"added an action item: {d['text']}",
    "action_done": lambda d, i: (
        f"finished an action item: {i.actions[d['action']].text if d['action'] in i.actions else d['action']}"
    ),
    "checklist_ticked": lambda d, i: f"ticked {_checklist_text(d, i)}{_reason(d, 'evidence')}",
    "checklist_unticked": lambda d, i: f"opened {_checklist_text(d, i)} again",
    "checklist_na": lambda d, i: f"called {_checklist_text(d, i)} not applicable{_reason(d)}",
    "postmortem_changed": lambda d, i: (
        f"set the post-mortem {str(d['state']).replace('_', ' ')}"
        + (f", owner {d['owner']}" if d.get("owner") else "")
    ),
    "corrected": lambda d, i: "corrected an entry",
    "console_opened": lambda d, i: f"console {d['version']} opened",
    "console_closed": lambda d, i: "console closed",
}
