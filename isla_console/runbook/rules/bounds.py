"""Thresholds that can hold, times that can pass, ladders that climb."""

from __future__ import annotations

import math
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
    "postgres": (("query",), ("combine",)),
    "stripe": ((), ()),
    "http_json": (("url", "select"), ("headers", "combine")),
    "prometheus": (("url", "query"), ("headers", "combine")),
    "openmetrics": (("url", "metric"), ("headers", "labels", "combine")),
}
"""By kind of source, the keys that it needs and those that it may have besides."""
_BETTER = {"probe": "lower", "error_rate": "lower", "stripe": "higher"}
"""By kind of source, which values are good, where the kind itself says so."""
_PERCENT = frozenset({"error_rate", "stripe"})
_MS = {"ms": 1000.0, "s": 1.0}
_OWN_KEYS = tuple(dict.fromkeys(key for keys in _SOURCE_KEYS.values() for key in sum(keys, ())))
"""Keys that only some kinds have."""


def thresholds(index: Index) -> Iterator[Breach]:
    """Both bounds can hold, never at once, on the sides of good and bad values, in the metric's unit."""
    measured: dict[str, tuple[Any, Range]] = {}
    for path, metric in index.metrics:
        unit, span = metric.get("unit", ""), _range(index, metric)
        if isinstance(metric.get("id"), str):
            measured[metric["id"]] = unit, span
        normal, alert = _bound(metric.get("normal")), _bound(metric.get("alert"))
        for key, bound in (("normal", normal), ("alert", alert)):
            yield from _unit((*path, key), bound, unit)
            yield from _possible((*path, key), bound, span)
        better = metric.get("better")
        own = _BETTER.get(str(mapping(metric.get("source")).get("kind")))
        if own is not None and better in ("lower", "higher") and better != own:
            kind = mapping(metric.get("source"))["kind"]
            yield Breach((*path, "better"), f"for a source of kind {kind}, {own} is better", f"better: {own}")
            better = own
        if normal is None or alert is None:
            continue
        if better in ("lower", "higher") and normal.upward != (better == "higher"):
            low, high = ("<", ">") if better == "lower" else (">", "<")
            yield Breach(
                (*path, "normal"),
                f"normal is {normal}, though {better} is better",
                f"normal {low} … and alert {high} …",
            )
        elif normal.upward == alert.upward:
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
        found = measured.get(symptom["metric"]) if isinstance(symptom.get("metric"), str) else None
        if found is not None:
            beyond = _bound(symptom.get("beyond"))
            yield from _unit((*path, "beyond"), beyond, found[0])
            yield from _possible((*path, "beyond"), beyond, found[1])
    for path, step in index.steps:
        rows = _bound(mapping(step.get("expect")).get("rows"))
        yield from _possible((*path, "expect", "rows"), rows, (0, math.inf, "there are at least 0 rows"))


Range = tuple[float, float, str]
"""The least and the greatest value that something can have, and why."""


def _range(index: Index, metric: dict[str, Any]) -> Range:
    """Return the values that a metric can have."""
    source = mapping(metric.get("source"))
    if str(source.get("kind")) in _PERCENT:
        return 0, 100, "it is a share, from 0 to 100 %"
    lowest = number(metric.get("lowest", 0))
    lowest = 0 if lowest is None else lowest
    scale = _MS.get(str(metric.get("unit")))
    if source.get("kind") == "probe" and scale:
        names = [name for _, name in texts(source.get("probes"))]
        probe = next((item for _, item in index.probes if item.get("id") in names), {})
        timeout, every = number(probe.get("timeout_s")), number(probe.get("every_s"))
        if timeout and every:
            return 0, min(timeout, every) * scale, f"the probe gives up after {min(timeout, every):g} s"
    return lowest, math.inf, f"a value is at least {lowest:g}; `lowest` says otherwise"


def _possible(path: Path, bound: Bound | None, span: Range) -> Iterator[Breach]:
    if bound is not None and not bound.can_hold(span[0], span[1]):
        yield Breach(path, f"{bound} never holds: {span[2]}", "a bound that can hold")


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
