"""Whose trouble it is, in one sentence: our own link's, a vendor's or our platform's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from isla_console.text.times import clock_text
from isla_console.triage.facts import Facts, Known
from isla_console.triage.health import Health
from isla_console.triage.ranking import Ranking

if TYPE_CHECKING:
    from isla_console.runbook.model import Runbook

Side = Literal["nobody", "us", "they", "me", "unknown"]


@dataclass(frozen=True, slots=True)
class Blame:
    """Whose trouble it is, in a sentence and in the few words that a small screen has room for."""

    side: Side
    sentence: str
    words: str


def blame(runbook: Runbook, facts: Facts, ranking: Ranking, health: Health) -> Blame:
    """Say whose trouble this is, as far as can be told.

    A vendor counts as the cause only of an issue whose signals name it. `health` alone decides whether
    anything may be called well.
    """
    if facts.blind:
        return Blame("me", "Only our own link is down: nothing is known of the platform.", "own link down")
    titles = {vendor.id: vendor.title for vendor in runbook.vendors}
    troubled = {
        titles[id]: known
        for id, known in facts.vendors.items()
        if known.state in {"degraded", "down"} and id in titles
    }
    unread = [title for id, title in titles.items() if id not in facts.vendors]
    alerts = facts.alerts
    if not alerts:
        return _without_alerts(facts, troubled, health)
    related = _related_vendors(runbook, ranking)
    guilty = {
        title: known for title, known in troubled.items() if title in {titles.get(id) for id in related}
    }
    what = _alerts_text(runbook, facts)
    if guilty:
        return Blame(
            "they", f"They: {_vendor_reports(guilty, facts)}; we see {what}.", f"they: {', '.join(guilty)}"
        )
    if troubled:
        return Blame("us", f"Likely us: {what}. Beside it {_vendor_reports(troubled, facts)}.", "likely us")
    if not titles:
        return Blame("unknown", f"We see {what}; no vendor is watched.", "")
    if len(unread) == len(titles):
        return Blame(
            "unknown", f"They or we: no vendor's status page could be read; we see {what}.", "vendors unknown"
        )
    green = "vendors green"
    if unread:
        green = f"vendors green but for {' and '.join(unread)}, not known"
    return Blame("us", f"Only we see it: {green}, {what}.", "us, not them")


def _without_alerts(facts: Facts, troubled: Mapping[str, Known], health: Health) -> Blame:
    ours, vendors = health.of("measure", "probe"), health.of("vendor")
    if not facts.watching:
        return Blame("unknown", "Nothing is measured yet.", "")
    if ours.is_well:
        us = "our endpoints answer"
    elif ours.raised:
        us = f"no alert of ours, but {ours.raised[0].title} is elevated"
    else:
        us = f"no alert of ours, but not all is known ({ours.words()})"
    if troubled:
        if ours.is_well:
            us += " all the same"
        names = ", ".join(troubled)
        return Blame("nobody", f"{_vendor_reports(troubled, facts)}; {us}.", f"trouble at {names}")
    if not vendors.parts:
        they = "no vendor is watched"
    elif vendors.is_well:
        they = "vendors are green"
    else:
        they = f"{' and '.join(one.title for one in vendors.unmeasured)}: not known"
    words = "all green" if health.is_well else health.words()
    return Blame("nobody", f"{us[0].upper()}{us[1:]}, {they}.", words)


def _related_vendors(runbook: Runbook, ranking: Ranking) -> set[str]:
    """Return the vendors named by the likeliest issue's signals, or by all issues' when none is ranked."""
    issues = [runbook.issue(ranking.first.issue)] if ranking.first else runbook.issues
    return {signal.vendor for issue in issues for signal in issue.signals if signal.vendor}


def _vendor_reports(troubled: Mapping[str, Known], facts: Facts) -> str:
    parts = []
    for title, known in troubled.items():
        since = f" since {clock_text(known.since, facts.at)}" if known.since else ""
        text = f" ({known.text})" if known.text else ""
        parts.append(f"{title} reports trouble{since}{text}")
    return ", ".join(parts)


def _alerts_text(runbook: Runbook, facts: Facts) -> str:
    """Name what is in alert, two at most, metrics first."""
    named = {metric.id: metric.short for metric in runbook.metrics}
    named |= {probe.id: probe.title for probe in runbook.all_probes()}
    found = []
    for known in (facts.metrics, facts.probes):
        for id, one in known.items():
            if one.state == "alert":
                found.append(f"{named.get(id, id)} {one.text}".strip())
    more = f" and {len(found) - 2} more" if len(found) > 2 else ""
    return ", ".join(found[:2]) + more
