"""What keeps people safe is there: somebody is called, something is watched, what is harmful says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from isla_console.runbook import effects
from isla_console.runbook.fields import SHORTEST_MIN
from isla_console.runbook.findings import Path, nearest, show
from isla_console.runbook.obeyed import obeys
from isla_console.runbook.rules.document import Breach, Index, ids, mapping, number, texts
from isla_console.runbook.shell import interpreter

_CALLED_FIRST = "the minute at which the first level is due, such as 0"
_ASKS = ("first_update_min", "cadence_min", "postmortem_h")


def ladders(index: Index) -> Iterator[Breach]:
    """Every severity says of each level when it is due, and the gravest calls somebody by itself."""
    table = mapping(index.escalation.get("by_severity"))
    order, gravest = ids(index.levels), next(iter(ids(index.severities)), None)
    for severity, rule in table.items():
        path: Path = ("escalation", "by_severity", severity)
        ladder = mapping(rule).get("ladder")
        if not isinstance(ladder, dict) or not ladder:
            continue  # its shape says so
        for level in order:
            if level not in ladder:
                problem = f"the ladder says nothing of {level}"
                yield Breach((*path, "ladder"), problem, f"{level}: minutes, or null for by hand only")
        if severity != gravest:
            continue
        if all(due is None for due in ladder.values()):
            problem = f"at {severity}, the gravest severity, nobody is ever called"
            yield Breach((*path, "ladder"), problem, f"{order[0] if order else 'L1'}: {_CALLED_FIRST}")
        for key, what in zip(_ASKS, ("first update", "next update", "post-mortem"), strict=True):
            if mapping(rule).get(key) is None:
                problem = f"at {severity}, the gravest severity, no {what} is ever due"
                yield Breach((*path, key), problem, f"{key}: a number", weight="warning", at=path)


def soaks(index: Index) -> Iterator[Breach]:
    """Only a severity that asks for nothing else may be resolved at once."""
    gravest = next(iter(ids(index.severities)), None)
    for severity, rule in mapping(index.escalation.get("by_severity")).items():
        rule = mapping(rule)
        asks = any(rule.get(key) is not None for key in _ASKS) or rule.get("postmortem_asked") is True
        if number(rule.get("soak_min", 0)) == 0 and (asks or severity == gravest):
            path: Path = ("escalation", "by_severity", severity)
            problem = f"{severity} is resolved without waiting for the metrics to stay normal"
            at = (*path, "soak_min") if "soak_min" in rule else path
            yield Breach((*path, "soak_min"), problem, "minutes, such as 15", at=at)


def short_times(index: Index) -> Iterator[Breach]:
    """What is due, or lasts, for the blink of an eye is a slip of the pen: it is 0, or a while."""
    times: list[tuple[Path, Any]] = []
    for path, level in index.levels:
        times += [((*path, key), level.get(key)) for key in ("from_min", "to_min")]
    for severity, rule in mapping(index.escalation.get("by_severity")).items():
        path = ("escalation", "by_severity", severity)
        times.append(((*path, "soak_min"), mapping(rule).get("soak_min")))
        ladder = mapping(mapping(rule).get("ladder"))
        times += [((*path, "ladder", level), due) for level, due in ladder.items()]
    for path, value in times:
        minutes = number(value)
        if minutes is not None and 0 < minutes < SHORTEST_MIN:
            yield Breach(path, f"{show(value)} is out of range", f"0, or at least {SHORTEST_MIN:g} minutes")


def targets(index: Index) -> Iterator[Breach]:
    """Everybody whom the ladder calls is a contact, and a contact can be reached or says why not."""
    roles: dict[str, str] = {}
    for path, contact in index.contacts:
        names = [contact.get("role"), *(name for _, name in texts(contact.get("targets")))]
        roles |= {name.casefold(): name for name in names if isinstance(name, str)}
        reach, unfilled = contact.get("contact"), contact.get("unfilled")
        if "contact" in contact and reach is None and not unfilled:
            yield Breach(
                (*path, "contact"), "nobody can be reached by it", "how to reach them, or `unfilled`"
            )
        if reach is not None and unfilled is not None:
            yield Breach(
                (*path, "unfilled"), "there is a contact, so it is filled in", "no `unfilled`", on_key=True
            )
    for path, level in index.levels:
        for place, name in texts(level.get("targets")):
            if name.casefold() not in roles:
                near = nearest(name, roles.values())
                wanted = (
                    f"role: {name} among the contacts; where it is not known, contact: null and `unfilled`"
                )
                yield Breach((*path, "targets", place), f"no contact is {show(name)}", wanted, near)


def watched(index: Index) -> Iterator[Breach]:
    """Something is watched, and there is something to do."""
    if not (index.probes or index.database_checks or index.metrics):
        yield Breach(("health_checks",), "nothing is watched", "a health check, a probe, or a metric")
    if not (index.issues or index.procedures):
        yield Breach(("issues",), "there is nothing to do", "an issue or a procedure")


def declared_effects(index: Index) -> Iterator[Breach]:
    """No step declares less than its text plainly does.

    Of scripts, only those that are to change nothing are looked at: the rest takes too long for the start.
    """
    for path, step in index.steps:
        declared = step.get("effect")
        if declared not in effects.ORDER:
            continue
        worst = max(_plain_effects(step), key=lambda found: effects.ORDER.index(found[0]), default=None)
        if worst is not None and effects.ORDER.index(worst[0]) > effects.ORDER.index(declared):
            yield understated(path, declared, *worst)


def understated(path: Path, declared: str, seen: str, why: str) -> Breach:
    """Make the breach for a step that declares less than it does."""
    return Breach((*path, "effect"), f"the effect is {declared}, but {why}", f"effect: {seen}")


def _plain_effects(step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind, run, http = step.get("kind"), step.get("run"), mapping(step.get("http"))
    if kind == "shell" and isinstance(run, str):
        if step.get("effect") in ("read", "stream") and effects.is_suspect(run):
            yield from effects.of_shell(run)
    elif kind == "sql" and isinstance(run, str):
        yield from effects.of_sql(run)
    elif kind == "http" and isinstance(http.get("url"), str):
        yield from effects.of_http(str(http.get("method", "GET")), http["url"], mapping(http.get("headers")))


def harmful(index: Index) -> Iterator[Breach]:
    """What must never be run is blocked, and what prints a secret is masked."""
    for path, step in index.steps:
        run = step.get("run")
        if step.get("kind") != "shell" or not isinstance(run, str):
            continue
        if "blocked" not in step and (why := effects.never(run)):
            yield Breach((*path, "run"), f"this is never run from here: {why}", "`blocked` and `instead`")
        if step.get("secret_output") is not True and (command := effects.prints_secret(run)):
            yield Breach((*path, "run"), f"what `{command}` prints is a secret", "secret_output: true")


def interpreters(index: Index) -> Iterator[Breach]:
    """A shell step is a shell script."""
    for path, step in index.steps:
        run = step.get("run")
        if step.get("kind") == "shell" and isinstance(run, str) and not interpreter(run):
            first = run.split("\n")[0]
            yield Breach(
                (*path, "run"), f"{show(first)} asks for no shell", "a shell script, or python3 -c '…'"
            )


def names(index: Index) -> Iterator[Breach]:
    """No input is called like a variable that a shell, a loader or a tool obeys: its value is exported."""
    for path, _ in index.inputs:
        name = str(path[-1])
        if obeys(name):
            problem = f"what {show(name)} holds, shells or programs obey: a value must not decide that"
            yield Breach(path, problem, "another name", on_key=True)


def answers(index: Index) -> Iterator[Breach]:
    """A probe can get the answer that it calls good."""
    for path, probe in index.probes:
        if probe.get("method", "GET") != "HEAD":
            continue
        for key in ("expect_bytes", "expect_text", "healthy"):
            if probe.get(key):
                yield Breach(
                    (*path, key), "the answer to a HEAD request has no body", "method: GET", on_key=True
                )


def bodies(index: Index) -> Iterator[Breach]:
    """A request's body has a bound, as every text has."""
    for path, step in index.steps:
        body = mapping(step.get("http")).get("body")
        if isinstance(body, dict) and len(json.dumps(body, default=str)) > 20_000:
            yield Breach(
                (*path, "http", "body"), "the body is longer than 20,000 characters", "a shorter one"
            )


RULES = (
    ladders,
    soaks,
    short_times,
    targets,
    watched,
    declared_effects,
    harmful,
    interpreters,
    names,
    answers,
    bodies,
)
