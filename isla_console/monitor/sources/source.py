"""What a source is: something that is asked again and again, with what is known of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Generic, TypeVar

from isla_console.monitor.metrics.sample import Sample

TIMEOUT_SHARE = 0.9
"""The share of its interval that asking a source may take, so that it never queues behind itself."""
NO_SOURCE = "it has no source of its own"

ReadingT = TypeVar("ReadingT", covariant=True)
"""What a source shows: frozen, and equal to another one that would be drawn the same."""


class Source(ABC, Generic[ReadingT]):
    """Something that is watched. There is one class for each kind, with three verbs.

    - `ask` asks the question. It alone does I/O, and it returns one `Sample` whatever happens: a failure is
      a sample that is not ok and says why, in words that are safe to show. (If it raises all the same, that
      is a defect of the console, of which the poller makes a sample.)
    - `observe` takes a sample into the source's state. Samples come in order, but some are missing: while our
      own link is down, those without an answer are dropped.
    - `reading` returns what there is to show at a moment, from the state alone: no I/O, and cheap enough for
      several times a second.

    This is all that the poller knows of a source. It asks each that can be asked every `every_s` seconds, and
    passes each sample to every source that follows it.
    """

    def __init__(
        self, id: str, every_s: float, *, unset: str = "", follows: Iterable[str] | None = None
    ) -> None:
        """Begin without a sample.

        Args:
            id: The id that its samples carry.
            every_s: Seconds between two samples.
            unset: Why it cannot be asked and what to do, such as "set STRIPE_API_KEY"; "" where it can.
            follows: The ids of the sources whose samples it takes; its own unless given.
        """
        self.id = id
        self.every_s = every_s
        self.unset = unset
        self.follows = frozenset((id,) if follows is None else follows)

    @property
    def is_asked(self) -> bool:
        """Whether it has a question of its own and everything that it takes to ask it."""
        return not self.unset

    @abstractmethod
    async def ask(self) -> Sample:
        """Ask its question; return the answer, or why there is none."""

    @abstractmethod
    def observe(self, sample: Sample) -> None:
        """Take in a sample of a source that it follows."""

    def resume(self, at: datetime) -> None:
        """Go on after being blind, which does not count as having had no sample."""

    @abstractmethod
    def reading(self, now: datetime, blind: bool = False) -> ReadingT:
        """Return what there is to show at `now`; `blind` means that our own link is down."""
