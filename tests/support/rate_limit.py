"""The runbook asked more often, for tests that wait for what it finds."""

from dataclasses import replace
from typing import Any

from isla_console.runbook.model import Runbook

PACE = 4
"""How much oftener than the shipped runbook; what is asked, and how often in a row, is the same."""


def oftener(runbook: Runbook) -> Runbook:
    """All intervals shorter. Windows that hold many samples hold as many, of less time."""
    return runbook.model_copy(
        update={
            "health_checks": tuple(map(_quick, runbook.health_checks)),
            "probes": tuple(map(_quick, runbook.probes)),
            "database_checks": tuple(map(_quick, runbook.database_checks)),
            "metrics": tuple(_metric(one) for one in runbook.metrics),
            "link_check": _quick(runbook.link_check, timeout_s=runbook.link_check.timeout_s / PACE),
        }
    )


def unhurried(runbook: Runbook) -> Runbook:
    """How quickly the platform answers is no matter: for tests of whether it does, on a busy machine."""
    return runbook.model_copy(update={"metrics": tuple(map(_unhurried, runbook.metrics))})


def _unhurried(metric: Any) -> Any:
    if metric.source.kind != "probe":
        return metric
    return metric.model_copy(
        update={
            name: replace(bound, value=bound.value * 100)
            for name, bound in (("normal", metric.normal), ("alert", metric.alert))
        }
    )


def _metric(metric: Any) -> Any:
    if metric.source.kind not in {"probe", "error_rate"}:
        return metric
    window_s = metric.source.window_s / PACE
    return _quick(metric, source=metric.source.model_copy(update={"window_s": window_s}))


def _quick(one: Any, **more: object) -> Any:
    return one.model_copy(update={"every_s": one.every_s / PACE, **more})
