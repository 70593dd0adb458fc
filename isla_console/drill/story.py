"""A scenario as it unfolds: phases in time, healed or injected by hand."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from isla_console.drill.faults import Fault, Faults
from isla_console.drill.scenario import Scenario


class Story:
    """Puts a scenario's faults in force when their time comes.

    `healthy_s` replaces how long the first phase lasts; later phases move along. With `by_hand`
    nothing happens by itself. Time is the event loop's; `now` is for the record.
    """

    def __init__(
        self,
        scenario: Scenario,
        faults: Faults,
        now: Callable[[], datetime],
        *,
        healthy_s: float | None = None,
        by_hand: bool = False,
    ) -> None:
        self._scenario = scenario
        self._faults = faults
        self._now = now
        self._shift = 0.0 if healthy_s is None else healthy_s - scenario.phases[1].at_s
        self._by_hand = by_hand
        self._index = 0
        self._title = scenario.phases[0].title
        self._since = now()
        self._healed = False
        self._log: list[tuple[datetime, str]] = [(self._since, self._title)]
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start the story's clock."""
        if not self._by_hand:
            self._task = asyncio.create_task(self._tell())

    def end(self) -> None:
        """Stop the story's clock; what is in force stays."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def heal(self) -> None:
        """The cure: no fault is in force, and none comes by itself."""
        self.end()
        self._healed = True
        self._faults.replace(())
        self._enter("Healed")

    def inject(self, fault: Fault | None = None) -> None:
        """Add a fault; without one, the scenario's next phase starts now and its story goes on."""
        self._healed = False
        if fault is not None:
            self._faults.add(fault)
            self._enter(f"Injected: {fault.text}")
            return
        self.end()
        if not self._faults.active:
            self._index = 0
        self._advance(min(self._index + 1, len(self._scenario.phases) - 1))
        self.begin()

    def state(self) -> dict[str, object]:
        """JSON-ready: scenario, phase, faults in force, and what happened when."""
        return {
            "scenario": self._scenario.id,
            "title": self._scenario.title,
            "phase": {
                "index": self._index,
                "title": self._title,
                "since": self._since.isoformat(),
            },
            "healed": self._healed,
            "faults": [fault.model_dump() | {"text": fault.text} for fault in self._faults.active],
            "log": [{"at": at.isoformat(), "text": text} for at, text in self._log],
        }

    async def _tell(self) -> None:
        """Wait for each phase that is to come, counted from the one we are in."""
        phases = self._scenario.phases
        for index in range(self._index + 1, len(phases)):
            wait = phases[index].at_s - phases[index - 1].at_s
            if index == 1:
                wait += self._shift
            await asyncio.sleep(wait)
            self._advance(index)

    def _advance(self, index: int) -> None:
        self._index = index
        phase = self._scenario.phases[index]
        self._faults.replace(phase.faults)
        self._enter(phase.title)

    def _enter(self, title: str) -> None:
        self._title = title
        self._since = self._now()
        self._log.append((self._since, title))
