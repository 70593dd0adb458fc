"""A quick drill: the rules under which an incident is declared, with shorter times.

The ladder, the first update, the cadence, the soak and the metrics' windows are divided by the speed. How
often probes measure stays the same, and what people do takes as long as it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isla_console.runbook.model import Runbook

_LEAST_WINDOW_S = 15.0
"""The shortest window: it holds a few samples, however quick the drill."""


def quickened(runbook: Runbook, speed: float) -> Runbook:
    """Return the runbook with its times divided by `speed`; deadlines after the incident stay as they are."""
    escalation = runbook.escalation
    levels = tuple(
        level.model_copy(
            update={
                "range": f"{level.range} (÷ {speed:g})",
                "from_min": level.from_min / speed,
                "to_min": _divided(level.to_min, speed),
            }
        )
        for level in escalation.levels
    )
    rules = {
        severity: rule.model_copy(
            update={
                "ladder": {level: _divided(due, speed) for level, due in rule.ladder.items()},
                "first_update_min": _divided(rule.first_update_min, speed),
                "cadence_min": _divided(rule.cadence_min, speed),
                "soak_min": rule.soak_min / speed,
            }
        )
        for severity, rule in escalation.by_severity.items()
    }
    quick = escalation.model_copy(
        update={
            "levels": levels,
            "nag_min": tuple(nag / speed for nag in escalation.nag_min),
            "by_severity": rules,
        }
    )
    metrics = tuple(
        metric.model_copy(
            update={
                "source": metric.source.model_copy(update={"window_s": window(metric.source.window_s, speed)})
            }
        )
        for metric in runbook.metrics
    )
    return runbook.model_copy(update={"escalation": quick, "metrics": metrics})


def window(seconds: float, speed: float) -> float:
    """Return the length of a metric's window of `seconds` in a drill of a speed, in seconds."""
    return min(seconds, max(_LEAST_WINDOW_S, seconds / speed))


def _divided(value: float | None, speed: float) -> float | None:
    return None if value is None else value / speed
