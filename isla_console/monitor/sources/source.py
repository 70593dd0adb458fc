"""What a source is: something that is asked again and again, and what is known of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Generic, TypeVar

from isla_console.monitor.metrics.sample import Sample

TIMEOUT_SHARE = 0.9
"""Of its interval, that asking a source may take: it never queues behind itself."""
NO_SOURCE = "it has no source of its own"

ReadingT = TypeVar("ReadingT", covariant=True)
"""What a source shows: frozen, equal to another where the screen would draw the same."""


class Source(ABC, Generic[ReadingT]):
    """Something that is watched. One class a kind, with three verbs.

    - `ask` puts the question. It alone does I/O, and it gives one `Sample` whatever happens: what fails is
      a sample that is not ok and says why, in words that are safe to show. (What it raises all the same is
      a defect of ours, which the poller makes a sample of.)
    - `observe` takes a sample into the source's state. Samples come in their order, but not all that were
      asked for: while our own link is down, what nobody answered is forgotten.
    - `reading` says what there is to show at a moment, from the state alone: no I/O, and cheap enough for
      several times a second.

    This is all that the poller knows of a source. It asks those that can be asked every `every_s` seconds,
    and hands each sample to every source that follows it.
    """

    def __init__(
        self, id: str, every_s: float, *, unset: str = "", follows: Iterable[str] | None = None
    ) -> None:
        """Args:
        id: that its samples bear.
        every_s: seconds between two samples.
        unset: why it cannot be asked and what to do, such as "set STRIPE_API_KEY"; "" where it can.
        follows: the sources whose samples it takes; its own where not given.
        """
        self.id = id
        self.every_s = every_s
        self.unset = unset
        self.follows = frozenset((id,) if follows is None else follows)

    @property
    def is_asked(self) -> bool:
        """Whether it has a question of its own, and all that it takes to put it."""
        return not self.unset

    @abstractmethod
    async def ask(self) -> Sample:
        """The answer to its question, or why there is none."""

    @abstractmethod
    def observe(self, sample: Sample) -> None:
        """Take a sample of a source that it follows."""

    def resume(self, at: datetime) -> None:
        """We can see again: being blind does not count as having had no sample."""

    @abstractmethod
    def reading(self, now: datetime, blind: bool = False) -> ReadingT:
        """What there is to show at `now`; `blind` while our own link is down."""
