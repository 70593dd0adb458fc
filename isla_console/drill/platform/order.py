"""What the console tells the platform's process on its standard input."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

LEFT: Final = b"left\n"
"""The last line, when a person leaves the drill; without it the console was cut off."""


@dataclass(frozen=True, slots=True)
class Order:
    """The first line: which drill to run.

    `cache` is the drill's cache folder. `parent_thread_lasts`: the process was started from the console's
    main thread, so the end of that thread is the end of the console. `record` is the drill's record to go
    on with, as JSON ("": none is kept), `journal` the path of the console's journal.
    """

    scenario: str
    cache: str
    seed: int
    healthy_s: float | None
    by_hand: bool
    parent_thread_lasts: bool
    speed: float
    quiet: bool
    record: str
    journal: str

    def to_line(self) -> bytes:
        """Return the order as a line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Order:
        """Read an order from its line."""
        return cls(**json.loads(line))
