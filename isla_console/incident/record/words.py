"""An event in words, on one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isla_console.incident.record.events import MACHINE_KINDS, Event
from isla_console.incident.record.state import Incident
from isla_console.text.plain import plain
from isla_console.text.spans import took_text
from isla_console.text.times import clock_text, parse_utc

Data = Mapping[str, Any]
RESULT_CHARS = 60
"""How much of a step's result a sentence has."""


def sentence(event: Event, incident: Incident) -> str:
    """Say in one line what happened, such as `ana declared P1: Redirects down`.

    An unknown kind is named as it is, and data that a newer console shaped otherwise is shown raw.
    Control characters become visible pictures.
    """
    phrase = _PHRASES.get(event.kind)
    try:
        if event.kind == "acknowledged":
            text = _acknowledged(event)
        else:
            text = phrase(event.data, incident) if phrase else _raw(event)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError):
        text = _raw(event)
    who = "" if event.kind in MACHINE_KINDS else f"{event.who} "
    return plain(f"{who}{text}")


def phrase(event: Event) -> str:
    """Say in one line what happened where there is no incident to name its parts by."""
    said = event.data.get("text") or event.data.get("title")
    who = "" if event.kind in MACHINE_KINDS else f"{event.who} "
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


def _measured_change(family: str) -> Callable[[Data, Incident], str]:
    def phrase(data: Data, incident: Incident) -> str:
        name, value = incident.name(family, data["name"]), data.get("value")
        return f"{name}: {data['from']} → {data['to']}" + ("" if value in (None, "") else f" ({value})")

    return phrase


def _step_name(data: Data, incident: Incident) -> str:
    """Return a step's title in quotes, or its id where the incident does not know it; "" for no step."""
    id = data.get("step")
    if not id:
        return ""
    name = incident.name("step", id)
    return str(id) if name == id else f"“{name}”"


def _step(verb: str) -> Callable[[Data, Incident], str]:
    return lambda data, incident: (
        f"{verb} {_step_name(data, incident)}{_reason(data, 'result')}{_reason(data)}"
    )


def _symptom(data: Data, incident: Incident, verb: str) -> str:
    name = incident.name("symptom", data["symptom"])
    shown = name if name == data["symptom"] else f"“{name}”"
    return f"{verb} the symptom {shown} ({data['by']})"


def _update_name(data: Data, incident: Incident) -> str:
    clock = incident.policy.clock_of(data.get("template"), data["audience"])
    return incident.policy.clock_label(clock) if clock else f"{data['audience']} update"


def _update(verb: str) -> Callable[[Data, Incident], str]:
    def phrase(data: Data, incident: Incident) -> str:
        via = f" by {data['via']}" if data.get("via") else ""
        return f"{verb} the {_update_name(data, incident)}{via}"

    return phrase


def _ran(data: Data, incident: Incident) -> str:
    what = _step_name(data, incident) or data["command"]
    took = took_text(data["duration_ms"] / 1000)
    return f"ran {what} ({data['effect']}): {came_of(data)} in {took}"


def came_of(ran: Data) -> str:
    """Return in a few words what came of a `ran` entry: its result, as a request has no exit code."""
    first = str(ran.get("result") or "").partition("\n")[0].strip()
    return first[:RESULT_CHARS] or f"exit {ran['exit_code']}"


def _queried(data: Data, incident: Incident) -> str:
    what = _step_name(data, incident) or data["sql"]
    rows = "1 row" if data["rows"] == 1 else f"{data['rows']} rows"
    took = took_text(data["duration_ms"] / 1000)
    return f"queried {what} ({data['mode']}): {rows}, {data['outcome']} in {took}"


def _level_due(data: Data, _: Incident) -> str:
    causes = {"severity": ", by the raised severity", "adjustment": ", by the impact start"}
    late = " (found late)" if data["late"] else ""
    return f"{data['level']} is due{causes.get(data['cause'], '')}{late}"


def _sessions_ended(data: Data, _: Incident) -> str:
    whose = f"{data['application'] or 'no application'}, {data['role']}"
    problem = f"; {data['problem']}" if data.get("problem") else ""
    return f"ended {data['ended']} of {data['asked']} idle sessions ({whose}){problem}"


OUTCOME_WORDS = {"answered": "answered", "message": "left a message", "no_answer": "no answer"}


def _called(data: Data, _: Incident) -> str:
    whom = f"{data['person']}, " if data.get("person") else ""
    outcome = OUTCOME_WORDS.get(data["outcome"], data["outcome"])
    return f"called {whom}{data['target']} ({data['level']}) by {data['via']}: {outcome}"


def _acknowledged(event: Event) -> str:
    """Tell "I am on it" from "they say they are on it": the second is somebody else's word."""
    data = event.data
    target = f", {data['target']}" if data.get("target") else ""
    level = f"{data['level']}{target}"
    if same_person(event.actor, data["person"]):
        return f"is on it ({level})"
    via = f", by {data['via']}" if data.get("via") else ""
    return f"says that {data['person']} is on it ({level}{via})"


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's, however they are written."""
    return comparable_name(one) == comparable_name(other)


def comparable_name(person: str) -> str:
    """Return a name without what people write differently: case, space around it, a leading @."""
    return person.strip().lstrip("@").casefold()


def _overruled(data: Data, _: Incident) -> str:
    return f"said “{data['claim']}” against the evidence ({few(data['evidence'])}){_reason(data)}"


def few(lines: Sequence[str], most: int = 2) -> str:
    """Return the first lines in one, and how many more there are."""
    more = f"; and {len(lines) - most} more" if len(lines) > most else ""
    return "; ".join(lines[:most]) + more


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
    "took_in": lambda d, i: f"merged {d['incident']} into this{_reason(d, 'title')}",
    "role_offered": lambda d, i: f"offered {d['role']} to {d['person']}",
    "role_accepted": lambda d, i: f"made {d['person']} {d['role']}",
    "role_released": lambda d, i: f"released {d['person']} as {d['role']}",
    "level_due": _level_due,
    "called": _called,
    "level_waived": lambda d, i: f"waived {d['level']}{_reason(d)}",
    "escalated": lambda d, i: f"escalated to {d['level']} by hand{_reason(d)}",
    "hold_started": lambda d, i: f"held the ladder until {_time(d['until'], i)}{_reason(d)}",
    "hold_ended": lambda d, i: "ended the hold",
    "update_drafted": _update("drafted"),
    "update_copied": _update("copied"),
    "update_sent": _update("sent"),
    "update_snoozed": lambda d, i: f"snoozed the {_update_name(d, i)} {d['minutes']:g} min{_reason(d)}",
    "symptom_seen": lambda d, i: _symptom(d, i, "saw"),
    "symptom_denied": lambda d, i: _symptom(d, i, "did not see"),
    "step_done": _step("did"),
    "step_undone": _step("reopened"),
    "step_skipped": _step("skipped"),
    "ran": _ran,
    "queried": _queried,
    "sessions_ended": _sessions_ended,
    "metric_changed": _measured_change("metric"),
    "probe_changed": _measured_change("probe"),
    "vendor_changed": _measured_change("vendor"),
    "link_changed": _measured_change("link"),
    "noted": lambda d, i: f"noted: {d['text']}",
    "decided": lambda d, i: f"decided: {d['text']}",
    "action_added": lambda d, i: f"added an action item: {d['text']}",
    "action_done": lambda d, i: (
        f"finished an action item: {i.actions[d['action']].text if d['action'] in i.actions else d['action']}"
    ),
    "checklist_ticked": lambda d, i: f"ticked {_checklist_text(d, i)}{_reason(d, 'evidence')}",
    "checklist_unticked": lambda d, i: f"opened {_checklist_text(d, i)} again",
    "checklist_na": lambda d, i: f"called {_checklist_text(d, i)} not applicable{_reason(d)}",
    "overruled": _overruled,
    "postmortem_changed": lambda d, i: (
        f"set the post-mortem {str(d['state']).replace('_', ' ')}"
        + (f", owner {d['owner']}" if d.get("owner") else "")
    ),
    "corrected": lambda d, i: "corrected an entry",
    "console_opened": lambda d, i: f"console {d['version']} opened",
    "console_closed": lambda d, i: "console closed",
}
