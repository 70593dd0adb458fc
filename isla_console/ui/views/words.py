"""An event in words, short, as the timeline shows it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from isla_console.incident.events import Event
from isla_console.incident.state import Incident
from isla_console.plain import plain
from isla_console.runbook.model import Runbook

Data = Mapping[str, Any]


def measure_names(runbook: Runbook) -> dict[str, str]:
    """Ids of measures and probes to the names that the panels carry."""
    probes = {probe.id: probe.title for probe in runbook.all_probes()}
    return probes | {metric.id: metric.short for metric in runbook.metrics}


def sentence(event: Event, incident: Incident, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Who did what, in one line: `ana declared P1`. An unknown kind is named as it is.

    `names` are what measures and probes are called; without one, their id is.
    """
    if event.kind in _MEASURED:
        return plain(_change(event.data, names))
    said = _SAYINGS.get(event.kind)
    text = said(event.data, incident) if said else event.kind.replace("_", " ")
    who = f"{event.actor} " if event.is_human else ""
    return plain(f"{who}{text}")


def _checklist(data: Data, incident: Incident) -> str:
    tick = incident.checklist.get(str(data.get("item")))
    return tick.text if tick else str(data.get("item"))


_MEASURED = frozenset({"metric_changed", "probe_changed", "vendor_changed", "link_changed"})


def _change(data: Data, names: Mapping[str, str]) -> str:
    value = f" · {data['value']}" if data.get("value") not in (None, "") else ""
    name = str(data.get("name"))
    return f"{names.get(name, name)} {data.get('to')}{value} (was {data.get('from')})"


def _because(data: Data) -> str:
    return f": {data['reason']}" if data.get("reason") else ""


_SAYINGS: dict[str, Callable[[Data, Incident], str]] = {
    "declared": lambda d, i: f"declared {d.get('severity')}: {d.get('title')}",
    "severity_changed": lambda d, i: f"set severity {d.get('severity')}{_because(d)}",
    "impact_changed": lambda d, i: f"impact: {d.get('impact')}",
    "impact_start_adjusted": lambda d, i: (
        f"moved the impact start to {d.get('impact_started_at')}{_because(d)}"
    ),
    "state_changed": lambda d, i: f"{d.get('state')}{_because(d)}",
    "merged": lambda d, i: f"merged into {d.get('into')}",
    "role_offered": lambda d, i: f"offered {d.get('role')} to {d.get('person')}",
    "role_accepted": lambda d, i: f"{d.get('role')} is {d.get('person')}",
    "role_released": lambda d, i: f"{d.get('person')} leaves {d.get('role')}",
    "level_due": lambda d, i: f"{d.get('level')} is due{' (found late)' if d.get('late') else ''}",
    "level_notified": lambda d, i: f"called {d.get('level')} {d.get('person') or ''}",
    "acknowledged": lambda d, i: f"acknowledged {d.get('level')} ({d.get('person')})",
    "level_waived": lambda d, i: f"waived {d.get('level')}{_because(d)}",
    "escalated": lambda d, i: f"escalated to {d.get('level')}{_because(d)}",
    "hold_started": lambda d, i: f"holds the ladder until {str(d.get('until'))[11:16]}Z{_because(d)}",
    "hold_ended": lambda d, i: "ended the hold",
    "update_drafted": lambda d, i: f"drafted the {d.get('audience')} update",
    "update_copied": lambda d, i: f"copied the {d.get('audience')} update",
    "update_sent": lambda d, i: f"sent the {d.get('audience')} update",
    "update_snoozed": lambda d, i: (
        f"snoozed the {d.get('audience')} update {d.get('minutes')} min{_because(d)}"
    ),
    "symptom_seen": lambda d, i: f"sees {d.get('symptom')}",
    "symptom_denied": lambda d, i: f"does not see {d.get('symptom')}",
    "step_done": lambda d, i: f"did {d.get('step')}" + (f": {d['result']}" if d.get("result") else ""),
    "step_undone": lambda d, i: f"reopened {d.get('step')}",
    "step_skipped": lambda d, i: f"skipped {d.get('step')}{_because(d)}",
    "ran": lambda d, i: f"ran {d.get('step') or d.get('command')} (exit {d.get('exit_code')})",
    "queried": lambda d, i: f"queried {d.get('step') or 'by hand'}: {d.get('rows')} rows, {d.get('outcome')}",
    "noted": lambda d, i: f"noted: {d.get('text')}",
    "decided": lambda d, i: f"decided: {d.get('text')}",
    "action_added": lambda d, i: f"action: {d.get('text')}",
    "action_done": lambda d, i: f"closed action {d.get('action')}",
    "checklist_ticked": lambda d, i: f"ticked {_checklist(d, i)}",
    "checklist_unticked": lambda d, i: f"unticked {_checklist(d, i)}",
    "checklist_na": lambda d, i: f"n/a {_checklist(d, i)}{_because(d)}",
    "postmortem_changed": lambda d, i: f"post-mortem {d.get('state')}",
    "console_opened": lambda d, i: "console opened",
    "console_closed": lambda d, i: "console closed",
    "corrected": lambda d, i: "corrected an entry",
}
