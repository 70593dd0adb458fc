"""Thresholds that can hold, times that can pass, ladders that climb."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from isla_console.runbook.bound import Bound
from isla_console.runbook.findings import Path, show
from isla_console.runbook.rules.document import Breach, Index, ids, mapping, number, texts

_FEW = 20
"""A p95 of fewer samples says little."""

_SOURCE_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "probe": (("probes",), ("take",)),
    "error_rate": ((), ("probes",)),
    "postgres": (("query",), ()),
    "stripe": ((), ()),
    "http_json": (("url", "select"), ("headers",)),
    "prometheus": (("url", "query"), ("headers",)),
    "openmetrics": (("url", "metric"), ("headers", "labels", "combine")),
}
"""By kind of source, the keys that it needs and those that it may have besides."""
_OWN_KEYS = tuple(dict.fromkeys(key for keys in _SOURCE_KEYS.values() for key in sum(keys, ())))
"""Keys that only some kinds have."""


def thresholds(index: Index) -> Iterator[Breach]:
    """No value is both normal and in alert, and both bounds are in the metric's unit."""
    units: dict[str, str] = {}
    for path, metric in index.metrics:
        unit = metric.get("unit", "")
        if isinstance(metric.get("id"), str):
            units[metric["id"]] = unit
        normal, alert = _bound(metric.get("normal")), _bound(metric.get("alert"))
        yield from _unit((*path, "normal"), normal, unit)
        yield from _unit((*path, "alert"), alert, unit)
        if normal is None or alert is None:
            continue
        if normal.upward == alert.upward:
            wanted = "<" if normal.upward else ">"
            yield Breach(
                (*path, "alert"),
                f"normal is {normal} and alert {alert}: both point the same way",
                f"alert {wanted} …",
            )
        elif _overlap(normal, alert):
            yield Breach((*path, "alert"), f"normal is {normal} and alert {alert}: some values would be both")
    for path, symptom in index.symptoms:
        if "beyond" in symptom and "metric" not in symptom:
            yield Breach((*path, "beyond"), "`beyond` needs the `metric` it speaks of", on_key=True)
        if isinstance(symptom.get("metric"), str):
            yield from _unit(
                (*path, "beyond"), _bound(symptom.get("beyond")), units.get(symptom["metric"], "")
            )


def _bound(value: Any) -> Bound | None:
    try:
        return Bound.parse(value)
    except ValueError:
        return None


def _overlap(normal: Bound, alert: Bound) -> bool:
    low, high = (normal, alert) if alert.upward else (alert, normal)
    both_closed = low.op.endswith("=") and high.op.endswith("=")
    return high.value < low.value or (high.value == low.value and both_closed)


def _unit(path: Path, bound: Bound | None, unit: Any) -> Iterator[Breach]:
    if bound is not None and bound.unit and bound.unit != unit:
        known = f"the metric's unit, {show(unit)}" if unit else "no unit, as the metric has none"
        yield Breach(path, f"the bound is in {show(bound.unit)}", known)


def sources(index: Index) -> Iterator[Breach]:
    """A metric's source has what its kind needs, and its window holds enough samples."""
    for path, metric in index.metrics:
        source = mapping(metric.get("source"))
        kind = source.get("kind")
        at = (*path, "source")
        if not isinstance(kind, str) or kind not in _SOURCE_KEYS:
            continue
        needs, may = _SOURCE_KEYS[kind]
        for key in needs:
            if key not in source:
                yield Breach((*at, key), f"a source of kind {kind} needs `{key}`", at=at)
        for key in _OWN_KEYS:
            if key in source and key not in (*needs, *may):
                yield Breach((*at, key), f"a source of kind {kind} has no `{key}`", on_key=True)
        probes = source.get("probes")
        if kind == "probe" and isinstance(probes, list) and len(probes) != 1:
            yield Breach((*at, "probes"), f"a source of kind probe names {len(probes)} probes", "one")
        if kind == "error_rate" and source.get("aggregate") not in (None, "rate"):
            yield Breach((*at, "aggregate"), "an error rate is no other aggregate", "aggregate: rate")
        every, window = number(metric.get("every_s")), number(source.get("window_s"))
        if every and window:
            if window < every:
                yield Breach(
                    (*at, "window_s"),
                    f"a window of {window:g} s holds no sample",
                    f"at least every_s, {every:g}",
                )
            elif source.get("aggregate") == "p95" and window / every < _FEW:
                problem = f"the p95 of {window / every:.0f} samples is provisional for ever"
                yield Breach((*at, "window_s"), problem, f"at least {_FEW * every:g}", weight="warning")


def intervals(index: Index) -> Iterator[Breach]:
    """A probe gives up before it is asked again."""
    link = mapping(index.data.get("link_check"))
    own = [(("link_check",), link), (("deployments",), index.deployments)]
    for path, item in (*index.probes, *index.vendors, *own):
        every, timeout = number(item.get("every_s")), number(item.get("timeout_s"))
        if every is not None and timeout is not None and timeout >= every:
            yield Breach(
                (*path, "timeout_s"),
                f"the timeout, {timeout:g} s, is not below the interval",
                f"less than {every:g}",
            )


def levels(index: Index) -> Iterator[Breach]:
    """Levels begin one after the other, and no severity's ladder goes down."""
    before: float | None = None
    for path, level in index.levels:
        start, end = number(level.get("from_min")), number(level.get("to_min"))
        if start is not None and end is not None and end <= start:
            yield Breach(
                (*path, "to_min"), f"the level ends at {end:g}, before it begins", f"more than {start:g}"
            )
        if start is not None and before is not None and start <= before:
            yield Breach(
                (*path, "from_min"),
                f"begins at {start:g} min, not after the level before",
                f"more than {before:g}",
            )
        before = start if start is not None else before
    order = ids(index.levels)
    for severity, rule in mapping(index.escalation.get("by_severity")).items():
        ladder = mapping(mapping(rule).get("ladder"))
        at: Path = ("escalation", "by_severity", severity, "ladder")
        highest: float | None = None
        for id in order:
            due = number(ladder.get(id))
            if due is None:
                continue
            if highest is not None and due < highest:
                yield Breach(
                    (*at, id), f"due at {due:g} min, before the level below it", f"at least {highest:g}"
                )
            highest = due if highest is None else max(highest, due)
    nags = index.escalation.get("nag_min")
    minutes = [number(value) for value in nags] if isinstance(nags, list) else []
    for place, (one, two) in enumerate(pairwise(minutes), 1):
        if one is not None and two is not None and two <= one:
            yield Breach(("escalation", "nag_min", place), f"{two:g} comes after {one:g}", "rising minutes")


def signals(index: Index) -> Iterator[Breach]:
    """A signal is about one thing, in a state that this thing can have."""
    states = {
        "metric": ("elevated", "alert", "stale"),
        "probe": ("failing",),
        "vendor": ("degraded", "down"),
        "symptom": ("seen",),
        "deployed_within_min": (),
    }
    for path, signal in index.signals:
        about = [key for key in states if key in signal]
        if len(about) != 1:
            yield Breach(path, f"a signal speaks of {len(about)} things", f"one of {', '.join(states)}")
        elif not states[about[0]]:
            if "state" in signal:
                yield Breach((*path, "state"), f"`{about[0]}` has no state", on_key=True)
        elif "state" not in signal:
            wanted = " or ".join(states[about[0]])
            yield Breach((*path, "state"), "the key `state` is missing", wanted, at=path)
        elif isinstance(signal.get("state"), str) and signal["state"] not in states[about[0]]:
            yield Breach(
                (*path, "state"), f"a {about[0]} is never {signal['state']}", " or ".join(states[about[0]])
            )


def upstream(index: Index) -> Iterator[Breach]:
    """No issue is, over however many others, downstream of itself."""
    above = {
        issue["id"]: [word for _, word in texts(issue.get("downstream_of"))]
        for _, issue in index.issues
        if isinstance(issue.get("id"), str)
    }
    for path, issue in index.issues:
        id = issue.get("id")
        if not isinstance(id, str):
            continue
        found: set[str] = set()
        waiting = list(above.get(id, ()))
        while waiting:
            other = waiting.pop()
            if other not in found:
                found.add(other)
                waiting += above.get(other, ())
        if id in found:
            yield Breach((*path, "downstream_of"), f"{show(id)} is downstream of itself", on_key=True)


RULES = (thresholds, sources, intervals, levels, signals, upstream)
