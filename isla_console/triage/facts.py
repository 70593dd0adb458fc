"""What is known at a moment, as evidence. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isla_console.incident.record.state import Incident
    from isla_console.monitor.monitor import Snapshot


@dataclass(frozen=True, slots=True)
class Known:
    """The state of one thing that was looked at.

    `state` is a metric's or probe's `State`, a vendor's `degraded` or `down`, a symptom's `seen` or `denied`.
    """

    state: str
    text: str = ""
    """The value and its bound, or the reason, in words."""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """A deployment that went live."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the ranking looks at, by id. What is not in a mapping is not known."""

    metrics: Mapping[str, Known] = field(default_factory=dict)
    probes: Mapping[str, Known] = field(default_factory=dict)
    vendors: Mapping[str, Known] = field(default_factory=dict)
    symptoms: Mapping[str, Known] = field(default_factory=dict)
    deployments: Sequence[Live] = ()
    done: frozenset[str] = frozenset()
    """Steps that were done already."""
    blind: bool = False
    at: datetime | None = None
    """When all this was known."""

    @property
    def alerts(self) -> tuple[str, ...]:
        """Metrics in alert, then probes that fail."""
        return tuple(
            id for known in (self.metrics, self.probes) for id, one in known.items() if one.state == "alert"
        )

    @property
    def onset(self) -> datetime | None:
        """When the first of the current alerts began."""
        return min(
            (
                one.since
                for known in (self.metrics, self.probes)
                for one in known.values()
                if one.state == "alert" and one.since is not None
            ),
            default=None,
        )

    @property
    def watching(self) -> bool:
        """Whether anything was measured just now, so that what is stale is stale by itself."""
        return any(
            one.state in {"ok", "elevated", "alert"}
            for known in (self.metrics, self.probes)
            for one in known.values()
        )

    def suspect(self) -> Live | None:
        """Return the newest deployment that was live before the first alert began."""
        onset = self.onset
        if onset is None:
            return None
        return max((one for one in self.deployments if one.at <= onset), key=lambda one: one.at, default=None)


def gather(snapshot: Snapshot | None, incident: Incident | None) -> Facts:
    """Collect what is measured and what people said, as the ranking takes it."""
    if snapshot is None:
        return Facts()
    deployments = snapshot.deployments
    symptoms = incident.symptoms if incident is not None else {}
    return Facts(
        metrics={
            one.id: Known(one.state, " ".join(filter(None, (one.text, f"({one.bound})"))), one.since)
            for one in snapshot.metrics
            if one.value is not None
        },
        probes={
            one.id: Known(one.state, one.reason, one.since)
            for one in snapshot.probes
            if one.sample is not None
        },
        vendors={one.id: Known(one.state, one.text, one.since) for one in snapshot.vendors if one.known},
        symptoms={
            key.rpartition("/")[2]: Known("seen" if one.seen else "denied", "", one.at)
            for key, one in symptoms.items()
        },
        deployments=tuple(Live(one.id, one.live_since) for one in deployments.rows if one.live_since)
        if deployments is not None
        else (),
        done=frozenset(id for id, one in incident.steps.items() if one.state == "done")
        if incident is not None
        else frozenset(),
        blind=snapshot.link.state == "blind",
        at=snapshot.at,
    )
