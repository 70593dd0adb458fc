"""A metric that a console called bad with its last word is well again once another one has looked."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from isla_console.incident.rules.soak import soak
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.session.reconcile import PATIENCE, Reconciler
from tests.incident.story import START, Story, at
from tests.support.frozen import CALM, OUTAGE, snapshot


def test_what_the_journal_calls_bad_and_is_well_is_told_once_it_lasts() -> None:
    runbook = load_runbook(Path(resource("runbook.yaml"))).runbook
    story = Story("P0", issue="redirect-down")
    story.measure("redirect-latency", "ok", "elevated", "110 ms", at("14:00:05"))
    bad, well, reconciler = snapshot(runbook, OUTAGE), snapshot(runbook, CALM), Reconciler()
    moment = START + timedelta(minutes=1)
    assert reconciler.changes(story.incident, well, moment) == []
    assert reconciler.changes(story.incident, bad, moment + PATIENCE) == [], "it is bad: that is no news"
    assert reconciler.changes(story.incident, well, moment + PATIENCE) == [], "it has only just begun"
    (change,) = reconciler.changes(story.incident, well, moment + 2 * PATIENCE)
    assert (change.name, change.old, change.new) == ("redirect-latency", "elevated", "ok")
    assert soak(story.incident, moment).blockers
    story.measure(change.name, change.old, change.new, change.value, change.at)
    assert not soak(story.incident, change.at).blockers
    assert reconciler.changes(story.incident, well, change.at + PATIENCE) == [], "once"


def test_it_is_of_when_the_measure_became_well() -> None:
    """The console may have worked on another incident: the soak does not count from the switch."""
    runbook = load_runbook(Path(resource("runbook.yaml"))).runbook
    story = Story("P0", issue="redirect-down")
    story.measure("redirect-latency", "ok", "alert", "1240 ms", at("14:00:05"))
    whole = snapshot(runbook, CALM)
    for since, told in ((at("14:03"), at("14:03")), (at("14:00:01"), at("14:10:05")), (None, at("14:10:05"))):
        metrics = tuple(replace(one, since=since) for one in whole.metrics)
        well, reconciler = replace(whole, metrics=metrics), Reconciler()
        assert reconciler.changes(story.incident, well, at("14:10")) == []
        (change,) = reconciler.changes(story.incident, well, at("14:10:05"))
        assert change.at == told
