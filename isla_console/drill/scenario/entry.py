"""An entry of the drill's log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

EntryKind = Literal[
    "phase", "outage", "alarm", "message", "inject", "hint", "cure", "cured", "wrong", "danger", "relapse",
    "stopped", "by_hand", "broken", "ended", "cut_off",
]  # fmt: skip
"""What kind of entry it is.

`outage`: the first fault. `cured`: the last cure. `by_hand`: the fault was switched off by remote control.
`stopped`: a destructive step was begun and not done, because the guard or the engineer stopped it.
`broken`: a part of the platform failed, so that the drill is not what its scenario says.
`cut_off`: the console ended without being left, as by kill -9.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened, by the platform's clock (aware UTC).

    `who` is the person who says it, "" without one; `step` the id of the runbook's step that was stopped.
    """

    at: datetime
    kind: EntryKind
    text: str
    who: str = ""
    step: str = ""

    @classmethod
    def from_dict(cls, source: Mapping[str, str]) -> Entry:
        """Read an entry from its JSON shape.

        Raises:
            KeyError, ValueError: It is not an entry.
        """
        return cls(
            datetime.fromisoformat(source["at"]),
            cast(EntryKind, source["kind"]),
            source["text"],
            source.get("who", ""),
            source.get("step", ""),
        )

    def to_dict(self) -> dict[str, str]:
        """Return the entry's JSON shape, without empty fields."""
        required = {"at": self.at.isoformat(), "kind": self.kind, "text": self.text}
        optional = {"who": self.who, "step": self.step}
        return required | {name: value for name, value in optional.items() if value}
