"""What may be called well: the one judgement that every green on the screen asks for. Pure.

Green is earned: everything that the runbook declares was measured, just now, and is well, and nothing of our
own stands in the way. Whatever is unknown, stale, blind, elevated, failing or in trouble at a vendor's has
its own word, and so has a measure that waits for a setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from isla_console.monitor.metrics.metric import WAITING

if TYPE_CHECKING:
    from isla_console.monitor.monitor import Snapshot
    from isla_console.runbook.model import Runbook

Kind = Literal["measure", "probe", "vendor", "link"]
Level = Literal["alert", "blind", "fault", "elevated", "starting", "unset", "unknown", "ok"]
"""How it stands as a whole, the worst first.

`alert`: something fails. `blind`: our own link is down. `fault`: a fault of our own keeps something from
being asked. `elevated`: something is raised, or a vendor reports trouble. `starting`: nothing was asked yet.
`unset`: nothing is configured. `unknown`: something was not measured. `ok`: all that is declared is well.
"""

_UNWATCHED = "nothing watches it"
_BAD = frozenset({"alert"})
_RAISED = frozenset({"elevated", "degraded", "down"})


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that the runbook declares, and how it stands."""

    kind: Kind
    id: str
    title: str
    state: str
    """A `State`, or a vendor's; `unknown` where nothing is known of it."""
    text: str = ""
    """The value with its bound, or the reason."""
    since: datetime | None = None
    unset: bool = False
    """Whether it waits for a setting."""

    @property
    def is_waiting(self) -> bool:
        """Whether it was not asked yet, as just after the start."""
        return self.state == "unknown" and self.text == WAITING

    @property
    def is_well(self) -> bool:
        """Whether it was measured and is well."""
        return self.state == "ok"

    @property
    def is_measured(self) -> bool:
        """Whether its state is known, be it good or bad."""
        return self.state == "ok" or self.state in _BAD | _RAISED


@dataclass(frozen=True, slots=True)
class Health:
    """How everything that is declared stands at a moment."""

    parts: tuple[Part, ...] = ()
    faults: tuple[str, ...] = ()
    """Faults of our own, one sentence each."""
    link: str = "unknown"

    @property
    def failing(self) -> tuple[Part, ...]:
        """Measures in alert, then probes that fail."""
        return tuple(one for one in self.parts if one.state in _BAD)

    @property
    def raised(self) -> tuple[Part, ...]:
        """What is elevated, and vendors that report trouble."""
        return tuple(one for one in self.parts if one.state in _RAISED)

    @property
    def unmeasured(self) -> tuple[Part, ...]:
        """What is unknown, stale, blind or waits for a setting."""
        return tuple(one for one in self.parts if not one.is_measured)

    @property
    def is_well(self) -> bool:
        """Whether this may be green: all that is declared was measured and is well."""
        return self.level == "ok"

    @property
    def level(self) -> Level:
        """How it stands as a whole."""
        if self.failing:
            return "alert"
        if self.link == "blind":
            return "blind"
        if self.faults:
            return "fault"
        if self.raised:
            return "elevated"
        missing = self.unmeasured
        if self.parts and not missing and self.link == "ok":
            return "ok"
        if all(one.unset for one in self.parts):
            return "unset"
        early = any(one.is_waiting for one in missing)
        return "starting" if early and all(one.is_waiting or one.unset for one in missing) else "unknown"

    def of(self, *kinds: Kind) -> Health:
        """Return how the parts of these kinds alone stand."""
        return Health(tuple(one for one in self.parts if one.kind in kinds), self.faults, self.link)

    def live_states(self) -> dict[str, str]:
        """Return the states of the measures and probes that this console can ask, by name.

        A measure's name is its id, a probe's `probe <id>`: a probe may have a measure's id.
        """
        return {
            one.id if one.kind == "measure" else f"probe {one.id}": one.state
            for one in self.parts
            if one.kind in {"measure", "probe"} and not one.unset
        }

    def words(self) -> str:
        """Say in a few words how it stands, for a line that has no room for more."""
        failing, raised, missing = self.failing, self.raised, self.unmeasured
        match self.level:
            case "alert":
                mixed = len({one.kind for one in failing}) > 1
                return f"{_counted(failing, ', ')} bad" if mixed else failing_words(failing)
            case "blind":
                return "our own link is down"
            case "fault":
                return "a fault of our own"
            case "elevated":
                return f"{_short_names(raised)} {_raised_word(raised)}"
            case "starting":
                return "starting"
            case "unset":
                return "nothing is configured"
            case "unknown":
                return f"{_counted(missing)} not known" if missing else "own link not known"
            case "ok":
                return "all well"


def health_of(runbook: Runbook, snapshot: Snapshot | None) -> Health:
    """Judge everything that a runbook declares by what was measured.

    What is declared and not in the snapshot is unknown: nothing is left out of the count.
    """
    if snapshot is None:
        return Health(tuple(replace(one, text=WAITING) for one in _declared(runbook)))
    found = {(one.kind, one.id): one for one in _measured(snapshot)}
    parts = tuple(found.get((one.kind, one.id), one) for one in _declared(runbook))
    return Health(parts, snapshot.faults, snapshot.link.state)


def _declared(runbook: Runbook) -> Iterator[Part]:
    for metric in runbook.metrics:
        yield Part("measure", metric.id, metric.title, "unknown", _UNWATCHED)
    for probe in runbook.all_probes():
        yield Part("probe", probe.id, probe.title, "unknown", _UNWATCHED)
    for vendor in runbook.vendors:
        yield Part("vendor", vendor.id, vendor.title, "unknown", _UNWATCHED)


def _measured(snapshot: Snapshot) -> Iterator[Part]:
    for metric in snapshot.metrics:
        text = " ".join(filter(None, (metric.text, f"({metric.bound})" if metric.bound else "")))
        known = metric.state in {"ok", "elevated", "alert"}
        said = text if known else metric.reason
        yield Part("measure", metric.id, metric.title, metric.state, said, metric.since, metric.unset)
    for probe in snapshot.probes:
        yield Part("probe", probe.id, probe.title, probe.state, probe.reason, probe.since, probe.unset)
    for vendor in snapshot.vendors:
        yield Part("vendor", vendor.id, vendor.title, vendor.state, vendor.text, vendor.since, vendor.unset)


_NOUNS: dict[Kind, tuple[str, str]] = {
    "measure": ("measure", "measures"),
    "probe": ("probe", "probes"),
    "vendor": ("vendor", "vendors"),
    "link": ("link", "links"),
}


def _counted(parts: Sequence[Part], joint: str = " and ") -> str:
    """Return how many of each kind, such as `2 measures and 1 probe`."""
    return joint.join(
        f"{count} {_NOUNS[kind][count != 1]}"
        for kind in _NOUNS
        if (count := sum(one.kind == kind for one in parts))
    )


def failing_words(parts: Sequence[Part]) -> str:
    """Return how many are in alert and how many fail, such as `2 measures in alert, 1 probe fails`."""
    measures = [one for one in parts if one.kind != "probe"]
    probes = [one for one in parts if one.kind == "probe"]
    said = [f"{_counted(measures)} in alert"] if measures else []
    said += [f"{_counted(probes)} {'fails' if len(probes) == 1 else 'fail'}"] if probes else []
    return ", ".join(said)


def _short_names(parts: Sequence[Part]) -> str:
    return parts[0].title if len(parts) == 1 else _counted(parts)


def _raised_word(parts: Sequence[Part]) -> str:
    if all(one.kind == "vendor" for one in parts):
        return "reports trouble" if len(parts) == 1 else "report trouble"
    return "elevated" if all(one.kind == "measure" for one in parts) else "raised or in trouble"
