"""A quick drill: shorter rules."""

import pytest

from isla_console.drill.scenario.speed import quickened
from isla_console.incident.record.policy import Policy
from isla_console.runbook.model import Runbook


@pytest.mark.parametrize("speed", [1, 10, 120])
def test_a_quick_drill_shortens_the_rules_and_says_so(speed: float, runbook: Runbook) -> None:
    quick = quickened(runbook, speed)
    slow, fast = Policy.from_dict(runbook.policy()), Policy.from_dict(quick.policy())
    for severity, rule in slow.severities.items():
        short = fast.severities[severity]
        assert short.soak_min == rule.soak_min / speed
        assert short.postmortem_h == rule.postmortem_h, "a post-mortem takes as long as it takes"
        for level, due in rule.ladder.items():
            assert short.ladder[level] == (None if due is None else due / speed)
    assert fast.nag_min == tuple(nag / speed for nag in slow.nag_min)
    for before, after in zip(runbook.metrics, quick.metrics, strict=True):
        assert after.source.window_s <= before.source.window_s
        assert after.source.window_s >= min(15, before.source.window_s)
        assert after.every_s == before.every_s
    assert f"÷ {speed:g}" in quick.escalation.levels[1].range
