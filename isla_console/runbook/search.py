"""Searching the runbook: prose, commands, statements, addresses, thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from isla_console.runbook.model import Issue, Runbook
from isla_console.runbook.steps import Step

_AROUND = 30  # characters shown before a match
_EXCERPT = 90


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where the words occur.

    `kind` is what was found (issue, symptom, step, contact, metric ...) and `id` its id; `title` names it,
    `excerpt` is one line around the first match, `where` names the page it stands on, and `target` leads
    there: `issue:<id>#step:<id>`, `procedure:<id>`, `contacts#contact:<id>`, `home#metric:<id>`.
    """

    kind: str
    id: str
    title: str
    excerpt: str
    where: str
    target: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """One thing that can be found: what it is called, and every text in it with its weight."""

    kind: str
    id: str
    title: str
    where: str
    target: str
    texts: tuple[str, ...]


def search(runbook: Runbook, text: str, limit: int = 50) -> list[Hit]:
    """Find where every word of `text` occurs, best first, at most `limit` places.

    Case does not matter. A match in a title comes before one in the texts, the words side by side before the
    words apart, the beginning of a word before its middle; then the order of the runbook decides.
    """
    words = text.lower().split()
    if not words:
        return []
    phrase = " ".join(words)
    found: list[tuple[int, int, Hit]] = []
    for order, entry in enumerate(_entries(runbook)):
        title = entry.title.lower()
        texts = [" ".join(part.split()) for part in entry.texts if part]
        everything = " ".join([title, *texts]).lower()
        if not all(word in everything for word in words):
            continue
        score = 0
        score -= 8 if phrase in title else 4 if all(word in title for word in words) else 0
        score -= 2 if phrase in everything else 0
        score -= 1 if f" {phrase}" in f" {everything}" else 0
        hit = Hit(
            entry.kind, entry.id, entry.title, _excerpt(texts, phrase, words), entry.where, entry.target
        )
        found.append((score, order, hit))
    found.sort(key=lambda item: item[:2])
    return [hit for _, _, hit in found[:limit]]


def _excerpt(texts: list[str], phrase: str, words: list[str]) -> str:
    """Return one line around the first match, or the first text's beginning if only the title matches."""
    for wanted in (phrase, *words):
        for text in texts:
            at = text.lower().find(wanted)
            if at >= 0:
                start = max(0, at - _AROUND) if at + len(wanted) > _EXCERPT else 0
                return _cut(text, start)
    return _cut(texts[0], 0) if texts else ""


def _cut(text: str, start: int) -> str:
    end = start + _EXCERPT
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _entries(runbook: Runbook) -> Iterator[_Entry]:
    """Yield everything that can be found, each page before what is on it."""
    for issue in runbook.issues:
        yield from _issue(issue)
    for procedure in runbook.procedures:
        page, where = f"procedure:{procedure.id}", f"{procedure.number} {procedure.short}"
        yield _Entry(
            "procedure", procedure.id, procedure.title, where, page, (procedure.text or "", procedure.id)
        )
        for step in procedure.steps:
            yield _step(step, where, page)
    yield from _people(runbook)
    yield from _watched(runbook)
    yield from _texts(runbook)


def _issue(issue: Issue) -> Iterator[_Entry]:
    """Yield an issue's page and all that is on it."""
    page, where = f"issue:{issue.id}", f"{issue.number} {issue.short}"
    yield _Entry("issue", issue.id, issue.title, where, page, (issue.area, issue.short, issue.id))
    for symptom in issue.symptoms:
        target = f"{page}#symptom:{issue.id}/{symptom.id}"
        yield _Entry(
            "symptom", symptom.id, symptom.text, where, target, ("symptom", str(symptom.beyond or ""))
        )
    for step in issue.diagnosis:
        yield _step(step, where, page)
    for resolution in issue.resolutions:
        first = f"#step:{resolution.steps[0].id}" if resolution.steps else ""
        texts: tuple[str, ...] = ("cause", resolution.text or "")
        yield _Entry("resolution", resolution.id, resolution.cause, where, page + first, texts)
        for step in resolution.steps:
            yield _step(step, where, page)
    for follow in issue.follow_up:
        target = f"{page}#follow:{issue.id}/{follow.id}"
        yield _Entry("follow_up", follow.id, follow.text, where, target, ("follow-up",))


def _people(runbook: Runbook) -> Iterator[_Entry]:
    """Yield who is called, and how bad it has to be."""
    for contact in runbook.contacts:
        target = f"contacts#contact:{contact.id}"
        yield _Entry("contact", contact.id, contact.role, "Contacts", target, (contact.reach, contact.when))
    for level in runbook.escalation.levels:
        texts = (level.range, *level.targets, level.note or "", "escalation level")
        yield _Entry(
            "level",
            level.id,
            f"{level.id} {level.targets[0] if level.targets else ''}",
            "Escalation",
            "contacts",
            texts,
        )
    for severity in runbook.severities:
        name = f"{severity.id} {severity.name}"
        yield _Entry("severity", severity.id, name, "Severities", "home", (*severity.rule, "severity"))


def _watched(runbook: Runbook) -> Iterator[_Entry]:
    """Yield what is measured and asked."""
    for metric in runbook.metrics:
        texts = (
            f"normal {metric.normal}",
            f"alert {metric.alert}",
            metric.source.query or "",
            metric.short,
            metric.id,
        )
        yield _Entry("metric", metric.id, metric.title, "Overview", f"home#metric:{metric.id}", texts)
    for probe in runbook.all_requests():
        texts = (
            f"{probe.method} {probe.url}",
            probe.source or "",
            probe.because or "",
            "health check",
            probe.id,
        )
        yield _Entry("probe", probe.id, probe.title, "Overview", f"home#probe:{probe.id}", texts)
    for check in runbook.database_checks:
        said = (check.query, check.because or "", "database check", check.id)
        yield _Entry("probe", check.id, check.title, "Overview", f"home#probe:{check.id}", said)


def _texts(runbook: Runbook) -> Iterator[_Entry]:
    """Yield what is written, ticked off and filled in."""
    for template in runbook.templates:
        yield _Entry(
            "template", template.id, template.title, "Templates", "home", (template.text, template.audience)
        )
    for item in runbook.checklist:
        yield _Entry("checklist", item.id, item.text, "Checklist", "home", ("checklist",))
    for name, value in runbook.inputs.items():
        texts = (name, value.env or "", value.example or "", *value.source)
        yield _Entry("input", name, value.title, "Inputs", "home", texts)


def _step(step: Step, where: str, page: str) -> _Entry:
    shown = (step.run, *_request(step), step.url, step.cli, step.source, step.because)
    prose = (step.text, step.blocked, step.instead, step.undo, step.id)
    texts = tuple(text for text in (*shown, *prose) if text)
    return _Entry("step", step.id, step.title, where, f"{page}#step:{step.id}", texts)


def _request(step: Step) -> Iterator[str]:
    """Yield every text of a request, its method and URL first."""
    if step.http is not None:
        yield f"{step.http.method} {step.http.url}"
        yield from _strings(step.http.query)
        yield from _strings(step.http.body)
        yield from _strings(step.http.form)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from (f"{key} {text}" for text in _strings(member))
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _strings(member)
