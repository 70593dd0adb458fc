"""The ranking: each issue's signals that hold, added up by weight.

- An issue is proposed only on strong evidence: a metric in alert or stale, a probe that fails, a symptom
  that was seen, a vendor that is down. An elevated metric, a deployment, a vendor's minor trouble only add.
- An issue that another one brings about (`downstream_of`) ranks below it while that one is measured.
- Equal scores are shown as a tie; the runbook's order then decides, so that the list does not jump.
- While blind nothing is ranked, because nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from isla_console.text.spans import span_text
from isla_console.triage.facts import Facts, Known

if TYPE_CHECKING:
    from isla_console.runbook.model import Issue, Signal

SHOWN = 3
_STRONG = frozenset({"alert", "stale", "failing", "seen", "down"})
_HOLDS = {
    # a metric in alert is beyond elevated too
    "elevated": frozenset({"elevated", "alert"}),
    "alert": frozenset({"alert"}),
    "stale": frozenset({"stale"}),
    "failing": frozenset({"alert"}),
    "degraded": frozenset({"degraded", "down"}),
    "down": frozenset({"down"}),
    "seen": frozenset({"seen"}),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A signal that holds."""

    subject: str
    """What the signal is about, such as `metric:redirect-latency`, or `deployment`."""
    weight: int
    because: str
    strong: bool
    measured: bool
    """Whether it was measured rather than reported by a person."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An issue that the evidence points to."""

    issue: str
    number: int
    title: str
    score: int
    evidence: tuple[Evidence, ...]
    """Heaviest first."""
    under: str = ""
    """The id of the issue that may bring this one about, and therefore ranks above it."""

    @property
    def because(self) -> str:
        """The reasons in one line."""
        return "; ".join(one.because for one in self.evidence)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The likeliest issues. `silent` says why, when no ranking can be made."""

    candidates: tuple[Candidate, ...] = ()
    """The likeliest first, at most three."""
    tied: int = 1
    """How many at the top are equally likely."""
    alerts: int = 0
    """Metrics in alert and probes failing, each confirmed."""
    silent: str = ""

    @property
    def first(self) -> Candidate | None:
        """The likeliest issue."""
        return self.candidates[0] if self.candidates else None

    def place(self, issue: str) -> int:
        """Return an issue's rank: 1 for the likeliest, 0 if it is not ranked."""
        return next((n for n, one in enumerate(self.candidates, 1) if one.issue == issue), 0)


def rank(issues: Iterable[Issue], facts: Facts) -> Ranking:
    """Rank the issues that the evidence points to, the likeliest first."""
    alerts = len(facts.alerts)
    if facts.blind:
        return Ranking(silent="our own link is down: nothing is known, so nothing is ranked")
    all_issues = {issue.id: issue for issue in issues}
    found = {}
    for issue in all_issues.values():
        evidence = weigh(issue, facts)
        if any(one.strong for one in evidence):
            score = sum(one.weight for one in evidence)
            found[issue.id] = Candidate(issue.id, issue.number, issue.title, score, evidence)
    measured = {
        id for id, one in found.items() if any(proof.strong and proof.measured for proof in one.evidence)
    }
    placed = [
        replace(one, under=_upstream_issue(all_issues[one.issue], measured, found)) for one in found.values()
    ]
    placed.sort(key=lambda one: (_depth_below(one, found, all_issues, measured), -one.score, one.number))
    tied = 1
    if placed:
        top = placed[0]
        tied = sum(1 for one in placed if one.score == top.score and not one.under and not top.under)
    return Ranking(tuple(placed[:SHOWN]), max(tied, 1), alerts)


def weigh(issue: Issue, facts: Facts) -> tuple[Evidence, ...]:
    """Return an issue's signals that hold, heaviest first; of several on one subject only the heaviest."""
    best: dict[str, Evidence] = {}
    for signal in issue.signals:
        one = _evidence_of(signal, facts)
        if one is not None and (one.subject not in best or one.weight > best[one.subject].weight):
            best[one.subject] = one
    return tuple(sorted(best.values(), key=lambda one: (-one.weight, one.subject)))


def _evidence_of(signal: Signal, facts: Facts) -> Evidence | None:
    if signal.deployed_within_min is not None:
        return _deployment_evidence(signal, facts)
    subject, known = subject_of(signal, facts)
    if known is None or known.state not in _HOLDS[signal.state or "seen"]:
        return None
    if signal.state == "stale" and not facts.watching:
        return None
    because = f"{signal.because}: {known.text}" if known.text else signal.because
    strong = signal.state in _STRONG or (subject.startswith("vendor:") and known.state == "down")
    return Evidence(subject, signal.weight, because, strong, measured=signal.symptom is None)


def subject_of(signal: Signal, facts: Facts) -> tuple[str, Known | None]:
    """Return what a signal is about (`metric:<id>` and so on), and what is known of it."""
    for kind, id, known in (
        ("metric", signal.metric, facts.metrics),
        ("probe", signal.probe, facts.probes),
        ("vendor", signal.vendor, facts.vendors),
        ("symptom", signal.symptom, facts.symptoms),
    ):
        if id is not None:
            return f"{kind}:{id}", known.get(id)
    return "deployment", None


def _deployment_evidence(signal: Signal, facts: Facts) -> Evidence | None:
    suspect, onset = facts.suspect(), facts.onset
    if suspect is None or onset is None or signal.deployed_within_min is None:
        return None
    before = onset - suspect.at
    if before > timedelta(minutes=signal.deployed_within_min):
        return None
    because = f"{signal.because}: {short_id(suspect.id)} {span_text(before)} before"
    return Evidence("deployment", signal.weight, because, strong=False, measured=True)


def short_id(id: str) -> str:
    """Return a deployment's id as people say it, such as `dpl_8xK2`."""
    return id if len(id) <= 12 else id[:8]


def _upstream_issue(issue: Issue, measured: set[str], found: dict[str, Candidate]) -> str:
    """Return the likeliest measured issue that this one is downstream of, "" if there is none."""
    above = [found[id] for id in issue.downstream_of if id in measured]
    return max(above, key=lambda one: (one.score, -one.number)).issue if above else ""


def _depth_below(
    one: Candidate, found: dict[str, Candidate], issues: dict[str, Issue], measured: set[str]
) -> int:
    """Return how many issues lie above this one in the chain that brings it about."""
    depth, issue, seen = 0, issues[one.issue], {one.issue}
    while above := [id for id in issue.downstream_of if id in measured and id not in seen]:
        depth += 1
        seen.update(above)
        issue = issues[above[0]]
    return depth


def names(candidates: Sequence[Candidate]) -> str:
    """List issues in words, such as `1 Redirect Service Down and 2 Database Connection Issues`."""
    each = [f"{one.number} {one.title}" for one in candidates]
    return " and ".join([", ".join(each[:-1]), each[-1]] if len(each) > 1 else each)


def before_onset(facts: Facts) -> tuple[str, datetime, timedelta] | None:
    """Return the suspect deployment, when it went live, and how long before the first alert that was."""
    suspect, onset = facts.suspect(), facts.onset
    if suspect is None or onset is None:
        return None
    return suspect.id, suspect.at, onset - suspect.at
