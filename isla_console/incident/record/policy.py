"""The rules an incident was declared under: ladder, cadence, soak, checklist.

All of them come from the runbook and are frozen into the `declared` event, so that an
edit of the runbook never changes a running incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from isla_console.incident.record.bounds import HOURS, OFFSET, SPAN, Bounds


class PolicyError(ValueError):
    """The object is not a policy; the message names the field."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the ladder, due from `from_min` minutes of escalation time on, as the runbook says."""

    id: str
    from_min: float
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """What one severity asks for, in minutes (`_min`) and hours (`_h`); None where there is no limit.

    `ladder` maps a level's id to the minute of escalation time at which it is due; None for never by itself.
    """

    ladder: Mapping[str, float | None]
    first_update_min: float | None
    cadence_min: float | None
    cadence_after_first_only: bool
    soak_min: float
    postmortem_h: float | None
    postmortem_asked: bool


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One item of the post-incident checklist, and the kind of evidence that shows it is done."""

    id: str
    text: str
    evidence: str


@dataclass(frozen=True, slots=True)
class UpdateText:
    """A text that people are told by, whom it is for, and the clock that sending it restarts.

    `clock` is the id of a text: its own, unless several texts (one for during, one for after) share one.
    """

    id: str
    title: str
    audience: str
    clock: str


INTERNAL = UpdateText("internal", "Word to the team", "internal", "internal")
"""The console's own text, to colleagues."""
_UNNAMED = (UpdateText("public", "Public update", "public", "public"), INTERNAL)
"""The texts of a policy that names none."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The frozen rules.

    `severities` are in the runbook's order, the gravest first, with the overlay already
    applied; `overlay` (`by_severity` or `as_written`) names the one that was.
    """

    overlay: str
    levels: tuple[Level, ...]
    nag_min: tuple[float, ...]
    severities: Mapping[str, SeverityRule]
    checklist: tuple[ChecklistItem, ...]
    texts: tuple[UpdateText, ...] = _UNNAMED

    @classmethod
    def from_dict(cls, source: Mapping[str, Any]) -> Policy:
        """Read a policy from JSON-ready data.

        Raises:
            PolicyError: The message names the field that does not fit.
        """
        overlay = source.get("overlay")
        if overlay not in ("by_severity", "as_written"):
            raise PolicyError("overlay: expected by_severity or as_written")
        levels = tuple(
            Level(
                _read_text(level, "id", f"levels[{index}]"),
                _read_number(level, "from_min", f"levels[{index}]", OFFSET),
                tuple(_read_texts(level, "targets", f"levels[{index}]")),
            )
            for index, level in enumerate(_read_objects(source, "levels"))
        )
        if not levels:
            raise PolicyError("levels: expected at least one")
        nag = source.get("nag_min")
        if not isinstance(nag, list | tuple):
            raise PolicyError("nag_min: expected a list of minutes")
        for index, value in enumerate(nag):
            _check_number(value, f"nag_min[{index}]", SPAN)
        rules = source.get("severities")
        if not isinstance(rules, Mapping) or not rules:
            raise PolicyError("severities: expected an object with at least one severity")
        return cls(
            overlay=overlay,
            levels=levels,
            nag_min=tuple(float(value) for value in nag),
            severities={str(id): _read_rule(rule, f"severities.{id}") for id, rule in rules.items()},
            checklist=tuple(
                ChecklistItem(
                    _read_text(item, "id", f"checklist[{index}]"),
                    _read_text(item, "text", f"checklist[{index}]"),
                    str(item.get("evidence") or "none"),
                )
                for index, item in enumerate(_read_objects(source, "checklist"))
            ),
            texts=_read_update_texts(source),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data from which `from_dict` makes an equal policy."""
        return {
            "overlay": self.overlay,
            "levels": [{**asdict(level), "targets": list(level.targets)} for level in self.levels],
            "nag_min": list(self.nag_min),
            "severities": {
                id: {**_rule_fields(rule), "ladder": dict(rule.ladder)}
                for id, rule in self.severities.items()
            },
            "checklist": [asdict(item) for item in self.checklist],
            "texts": [asdict(text) for text in self.texts],
        }

    @property
    def clocks(self) -> tuple[UpdateText, ...]:
        """The texts after which the update clocks are named, in the runbook's order."""
        named = {text.id: text for text in self.texts}
        first = {text.clock: text for text in reversed(self.texts)}
        return tuple(named.get(clock, first[clock]) for clock in dict.fromkeys(t.clock for t in self.texts))

    def clock_of(self, text: str | None, audience: str) -> str | None:
        """Return the clock that an update belongs to: its text's, else the audience's first."""
        named = next((known.clock for known in self.texts if known.id == text), None)
        return named or next((known.id for known in self.clocks if known.audience == audience), None)

    def clock_label(self, clock: str) -> str:
        """Return what a clock's update is called: `public update`, or its title where there are several."""
        own = next((known for known in self.clocks if known.id == clock), None)
        if own is None:
            return f"{clock} update"
        alone = sum(known.audience == own.audience for known in self.clocks) == 1
        return f"{own.audience} update" if alone else own.title

    def rule(self, severity: str) -> SeverityRule:
        """Return the rule for a severity; an unknown one gets the rule of the gravest."""
        found = self.severities.get(severity)
        return found if found is not None else next(iter(self.severities.values()))

    @property
    def postmortem_hours(self) -> float | None:
        """The shortest limit of any severity, for a post-mortem that is written without being owed."""
        hours = [r.postmortem_h for r in self.severities.values() if r.postmortem_h is not None]
        return min(hours, default=None)

    def level(self, id: str) -> Level | None:
        """Return the level with this id, if the ladder has it."""
        return next((level for level in self.levels if level.id == id), None)


def _read_update_texts(source: Mapping[str, Any]) -> tuple[UpdateText, ...]:
    if source.get("texts") is None:
        return _UNNAMED
    texts = tuple(
        UpdateText(
            id=(id := _read_text(text, "id", f"texts[{index}]")),
            title=_read_text(text, "title", f"texts[{index}]"),
            audience=_read_text(text, "audience", f"texts[{index}]"),
            clock=str(text.get("clock") or id),
        )
        for index, text in enumerate(_read_objects(source, "texts"))
    )
    return texts if any(text.id == INTERNAL.id for text in texts) else (*texts, INTERNAL)


def _rule_fields(rule: SeverityRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in rule.__slots__}


def _read_rule(source: Any, where: str) -> SeverityRule:
    if not isinstance(source, Mapping):
        raise PolicyError(f"{where}: expected an object")
    ladder = source.get("ladder")
    if not isinstance(ladder, Mapping):
        raise PolicyError(f"{where}.ladder: expected minutes, or null, for each level")
    for level, value in ladder.items():
        if value is not None:
            _check_number(value, f"{where}.ladder.{level}", OFFSET)
    return SeverityRule(
        ladder={str(level): value for level, value in ladder.items()},
        first_update_min=_read_optional(source, "first_update_min", where, SPAN),
        cadence_min=_read_optional(source, "cadence_min", where, SPAN),
        cadence_after_first_only=bool(source.get("cadence_after_first_only")),
        soak_min=_read_optional(source, "soak_min", where, OFFSET) or 0,
        postmortem_h=_read_optional(source, "postmortem_h", where, HOURS),
        postmortem_asked=bool(source.get("postmortem_asked")),
    )


def _check_number(value: Any, where: str, bounds: Bounds) -> float:
    problem = bounds.problem(value)
    if problem is not None:
        raise PolicyError(f"{where}: {problem}")
    return float(value)


def _read_objects(source: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    value = source.get(name)
    if not isinstance(value, Sequence) or not all(isinstance(item, Mapping) for item in value):
        raise PolicyError(f"{name}: expected a list of objects")
    return value


def _read_text(source: Mapping[str, Any], name: str, where: str) -> str:
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise PolicyError(f"{where}.{name}: expected text")
    return value


def _read_texts(source: Mapping[str, Any], name: str, where: str) -> Sequence[str]:
    value = source.get(name)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise PolicyError(f"{where}.{name}: expected a list of texts")
    return value


def _read_number(source: Mapping[str, Any], name: str, where: str, bounds: Bounds) -> float:
    return _check_number(source.get(name), f"{where}.{name}", bounds)


def _read_optional(source: Mapping[str, Any], name: str, where: str, bounds: Bounds) -> float | None:
    return None if source.get(name) is None else _read_number(source, name, where, bounds)
