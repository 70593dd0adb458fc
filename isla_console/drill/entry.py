"""What a drill's log is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

EntryKind = Literal[
    "phase", "outage", "alarm", "message", "inject", "hint", "cure", "cured", "wrong", "danger", "relapse",
    "stopped", "by_hand", "ended", "cut_off",
]  # fmt: skip
"""`outage`: the first fault. `cured`: the last cure. `by_hand`: the remote control, no engineer.
`stopped`: something destructive was begun and not done, for the guard or the engineer stopped it.
`cut_off`: the console went without leaving, as by kill -9."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened, by the platform's clock (aware UTC); `who` says it, if somebody does.

    `step` is the runbook's step that it is about, of what was stopped.
    """

    at: datetime
    kind: EntryKind
    text: str
    who: str = ""
    step: str = ""

    @classmethod
    def from_dict(cls, source: Mapping[str, str]) -> "Entry":
        """Raises KeyError or ValueError for what is none."""
        return cls(
            datetime.fromisoformat(source["at"]),
            cast(EntryKind, source["kind"]),
            source["text"],
            source.get("who", ""),
            source.get("step", ""),
        )

    def to_dict(self) -> dict[str, str]:
        found = {"at": self.at.isoformat(), "kind": self.kind, "text": self.text}
        more = {"who": self.who, "step": self.step}
        return found | {name: value for name, value in more.items() if value}
