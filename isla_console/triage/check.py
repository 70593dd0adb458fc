"""The next check, the one that would best tell the two likeliest issues apart. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from isla_console.triage.facts import Facts
from isla_console.triage.ranking import Ranking, subject_of

if TYPE_CHECKING:
    from isla_console.runbook.model import Issue, Runbook


@dataclass(frozen=True, slots=True)
class Check:
    """Something to do or to look for. `kind` says whether `id` is a step's or a symptom's."""

    issue: str
    kind: Literal["step", "symptom"]
    id: str
    title: str
    tells: str
    """What a yes would be evidence for."""
    gain: int
    """The weight it would add to one of the two and not to the other."""


def next_check(runbook: Runbook, ranking: Ranking, facts: Facts) -> Check | None:
    """Return the check that best separates the likeliest issue from the second; None when all is known.

    For the same gain, a step that reads, and is neither blocked nor done, comes before asking people.
    """
    pair = [runbook.issue(one.issue) for one in ranking.candidates[:2]]
    options: list[Check] = []
    for issue, other in zip(pair, [*pair[1:], *pair[:1]], strict=True):
        weighs_there = {} if other is issue else _symptom_weights(other)
        options += _checks_of(issue, weighs_there, facts)
    return min(options, key=lambda one: (-one.gain, one.kind, one.id), default=None)


def _symptom_weights(issue: Issue) -> dict[str, int]:
    return {signal.symptom: signal.weight for signal in issue.signals if signal.symptom}


def _checks_of(issue: Issue, elsewhere: dict[str, int], facts: Facts) -> Iterator[Check]:
    texts = {symptom.id: symptom.text for symptom in issue.symptoms}
    reveals = {
        seen.symptom: step
        for step in issue.diagnosis
        if step.effect in {"read", "stream"} and not step.blocked and step.id not in facts.done
        for seen in step.seen
    }
    for signal in issue.signals:
        if signal.symptom is None or subject_of(signal, facts)[1] is not None:
            continue
        gain = abs(signal.weight - elsewhere.get(signal.symptom, 0))
        speaks = f"would speak for {issue.number} {issue.title}"
        if (step := reveals.get(signal.symptom)) is not None:
            yield Check(issue.id, "step", step.id, step.title, speaks, gain)
        elif signal.symptom in texts:
            yield Check(issue.id, "symptom", signal.symptom, texts[signal.symptom], speaks, gain)
    for step in issue.diagnosis:
        if step.effect == "read" and not step.blocked and step.id not in facts.done and step.expect:
            title = f"{issue.number} {issue.title}"
            yield Check(issue.id, "step", step.id, step.title, f"looks further into {title}", 1)
