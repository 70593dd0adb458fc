"""A scenario as it unfolds: phases in time, messages and hints, and what people do about the outage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from isla_console.drill.scenario.entry import Entry, EntryKind
from isla_console.drill.scenario.faults import Fault, Faults
from isla_console.drill.scenario.model import Inject, Scenario, WrongTurn

_LEAST_HEALTHY_S = 10.0
"""Seconds before the outage at least, so that the console is open however quick the drill is."""


class ScenarioRunner:
    """Puts a scenario's faults in force when their time comes, and removes them when they are cured.

    `healthy_s` replaces the length of the first phase; later phases move along. With `by_hand` nothing
    happens by itself; `quiet` leaves out messages and injected faults. `speed` divides every time except
    how long an injected fault lasts, because probes are not quicker in a quick drill. Time is the event
    loop's; `now` is for the log.
    """

    def __init__(
        self,
        scenario: Scenario,
        faults: Faults,
        now: Callable[[], datetime],
        *,
        healthy_s: float | None = None,
        by_hand: bool = False,
        speed: float = 1,
        quiet: bool = False,
    ) -> None:
        self._scenario = scenario
        self._faults = faults
        self._now = now
        self._shift_s = 0.0 if healthy_s is None else healthy_s * speed - scenario.phases[1].at_s
        self._by_hand = by_hand
        self._speed = speed
        self._quiet = quiet
        self._index = 0
        self._title = scenario.phases[0].title
        self._since = now()
        self._healed = False
        self._cures_done: set[str] = set()
        self._phase_faults: tuple[Fault, ...] = ()
        self._extra_faults: list[Fault] = []
        self._log: list[Entry] = []
        self._listeners: list[Callable[[list[Entry]], None]] = []
        self._phases_task: asyncio.Task[None] | None = None
        self._interludes: list[asyncio.Task[None]] = []
        self._write("phase", self._title)

    @property
    def log(self) -> list[Entry]:
        """Everything that has happened, oldest first."""
        return list(self._log)

    def on_log(self, listener: Callable[[list[Entry]], None]) -> None:
        """Call `listener` with the whole log, now and whenever it grows."""
        self._listeners.append(listener)
        listener(self.log)

    def begin(self) -> None:
        """Start the scenario's clock."""
        if not self._by_hand:
            self._phases_task = asyncio.create_task(self._run_phases())

    def close(self, *, cut_off: bool = False) -> None:
        """End the drill; `cut_off` says that the console ended without being left."""
        self._stop_phases()
        self._stop_interludes()
        if cut_off:
            self._write("cut_off", "The drill was cut off")
        else:
            self._write("ended", "The drill was left")

    def heal(self) -> None:
        """Remove every fault, as the remote control asks; no more come by themselves."""
        self._heal("by_hand", "Healed")

    def inject(self, fault: Fault | None = None) -> None:
        """Add a fault; without one, begin the scenario's next phase now and go on from there."""
        if fault is not None:
            self._healed = False
            self._extra_faults.append(fault)
            self._enter(f"Injected: {fault.text}", "inject")
            self._apply()
            return
        self._begin_next_phase()

    def alarm(self) -> None:
        """Note that the console shows an alert; only the first one since the outage began counts."""
        if self._outage_began and not any(entry.kind == "alarm" for entry in self._log):
            self._write("alarm", "The console showed the first alert")

    def observe(self, action: str) -> None:
        """Take in what a person did: it may be a cure, a wrong turn, or neither."""
        for cure in self._scenario.cures:
            if cure.is_done_by(action) and cure.action not in self._cures_done:
                self._cures_done.add(cure.action)
                self._write("cure", cure.title)
                if len(self._cures_done) == len(self._scenario.cures):
                    self._heal("cured", "The outage is over")
                else:
                    self._phase_faults = self._uncured(self._phase_faults)
                    self._apply()
                return
        for turn in self._scenario.wrong_turns:
            if turn.is_taken_by(action):
                self._take_wrong_turn(turn)
                return

    def stopped(self, step: str, title: str, why: str) -> None:
        """Note that a destructive step of the runbook was begun and not done; `why` says what stopped it."""
        self._write("stopped", f"Tried “{title}”: {why}", step=step)

    def broke(self, part: str, error: BaseException) -> None:
        """Note that a part of the platform failed for good; its traceback is in the platform's log."""
        self._write(
            "broken",
            f"A part of the drill's platform failed ({part}: {type(error).__name__}), and what it does is"
            " missing from now on: leave the drill and start it again; platform.log has the traceback.",
        )

    def state(self) -> dict[str, object]:
        """Return scenario, phase, faults in force and the log, ready for JSON."""
        scenario = self._scenario
        return {
            "scenario": scenario.id,
            "title": scenario.title,
            "briefing": scenario.briefing,
            "speed": self._speed,
            "phase": {
                "index": self._index,
                "title": self._title,
                "since": self._since.isoformat(),
            },
            "healed": self._healed,
            "faults": [fault.model_dump() | {"text": fault.text} for fault in self._faults.active],
            "log": [entry.to_dict() for entry in self._log],
        }

    @property
    def _outage_began(self) -> bool:
        return any(entry.kind == "outage" for entry in self._log)

    async def _run_phases(self) -> None:
        """Enter each coming phase when its time is up."""
        phases = self._scenario.phases
        for index in range(self._index + 1, len(phases)):
            wait_s = phases[index].at_s - phases[index - 1].at_s
            least_s = 0.0
            if index == 1:
                wait_s += self._shift_s
                least_s = 0.0 if self._shift_s else min(wait_s, _LEAST_HEALTHY_S)
            await asyncio.sleep(max(wait_s / self._speed, least_s))
            self._enter_phase(index)

    def _stop_phases(self) -> None:
        """Stop the scenario's clock; the faults in force stay."""
        if self._phases_task is not None:
            self._phases_task.cancel()
            self._phases_task = None

    def _enter_phase(self, index: int) -> None:
        self._index = index
        phase = self._scenario.phases[index]
        self._phase_faults = self._uncured(phase.faults)
        kind: EntryKind = "phase"
        if index == 1 and not self._outage_began:
            kind = "outage"
            self._begin_interludes()
        self._enter(phase.title, kind)
        self._apply()

    def _uncured(self, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """Return the faults that no cure has ended yet."""
        ended = {
            kind for cure in self._scenario.cures if cure.action in self._cures_done for kind in cure.ends
        }
        return tuple(fault for fault in faults if fault.kind not in ended)

    def _begin_next_phase(self) -> None:
        """Begin the next phase or, once the outage is over, the first one with a fault."""
        self._stop_phases()
        if self._healed or not self._faults.active:
            self._index = 0
        self._healed = False
        self._cures_done.clear()
        self._enter_phase(min(self._index + 1, len(self._scenario.phases) - 1))
        self.begin()

    def _take_wrong_turn(self, turn: WrongTurn) -> None:
        self._write("danger" if turn.dangerous else "wrong", turn.text)
        if turn.relapse and self._cures_done:
            self._write("relapse", "The outage is back")
            self._begin_next_phase()
        elif turn.worse and not self._healed:
            self._extra_faults.extend(fault for fault in turn.worse if fault not in self._extra_faults)
            self._apply()

    def _heal(self, kind: EntryKind, title: str) -> None:
        self._stop_phases()
        self._stop_interludes()
        self._healed = True
        self._phase_faults = ()
        self._extra_faults.clear()
        self._enter(title, kind)
        self._apply()

    def _begin_interludes(self) -> None:
        """Start the clocks of hints, messages and injected faults."""
        if self._by_hand:
            return
        injects = [] if self._quiet else self._scenario.injects
        interludes = [
            *(self._offer_hint(hint.at_s, hint.text) for hint in self._scenario.hints),
            *(self._run_inject(inject) for inject in injects),
        ]
        self._interludes += [asyncio.create_task(interlude) for interlude in interludes]

    def _stop_interludes(self) -> None:
        for task in self._interludes:
            task.cancel()
        self._interludes.clear()

    async def _offer_hint(self, at_s: float, text: str) -> None:
        await asyncio.sleep(at_s / self._speed)
        self._write("hint", text)

    async def _run_inject(self, inject: Inject) -> None:
        await asyncio.sleep(inject.at_s / self._speed)
        if inject.message is not None:
            self._write("message", inject.message.text, inject.message.sender)
        if not inject.faults:
            return
        self._write("inject", inject.title)
        self._extra_faults.extend(inject.faults)
        self._apply()
        await asyncio.sleep(inject.for_s)
        for fault in inject.faults:
            if fault in self._extra_faults:
                self._extra_faults.remove(fault)
        self._write("inject", f"Over: {inject.title}")
        self._apply()

    def _apply(self) -> None:
        self._faults.replace((*self._phase_faults, *self._extra_faults))

    def _enter(self, title: str, kind: EntryKind) -> None:
        self._title = title
        self._since = self._now()
        self._write(kind, title)

    def _write(self, kind: EntryKind, text: str, who: str = "", step: str = "") -> None:
        self._log.append(Entry(self._now(), kind, text, who, step))
        for listener in self._listeners:
            listener(self.log)
