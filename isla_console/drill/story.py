"""A scenario as it unfolds: phases in time, what comes between, and what people do about it."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from isla_console.drill.entry import Entry, EntryKind
from isla_console.drill.faults import Fault, Faults
from isla_console.drill.scenario import Inject, Scenario, WrongTurn

_OPENING_S = 10.0
"""However quick a drill is, the console is open before its outage begins."""


class Story:
    """Puts a scenario's faults in force when their time comes, and takes them away when they are cured.

    `healthy_s` replaces how long the first phase lasts; later phases move along. With `by_hand`
    nothing happens by itself; `quiet` leaves messages and injected faults out. `speed` divides every time
    but how long an injected fault lasts: probes are no quicker in a quick drill. Time is the event
    loop's; `now` is for the record.
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
        self._shift = 0.0 if healthy_s is None else healthy_s * speed - scenario.phases[1].at_s
        self._by_hand = by_hand
        self._speed = speed
        self._quiet = quiet
        self._index = 0
        self._title = scenario.phases[0].title
        self._since = now()
        self._healed = False
        self._done: set[str] = set()
        self._base: tuple[Fault, ...] = ()
        self._extra: list[Fault] = []
        self._log: list[Entry] = []
        self._listeners: list[Callable[[list[Entry]], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._between: list[asyncio.Task[None]] = []
        self._write("phase", self._title)

    @property
    def log(self) -> list[Entry]:
        """Everything so far, oldest first."""
        return list(self._log)

    def on_log(self, listener: Callable[[list[Entry]], None]) -> None:
        """`listener` gets the whole log, now and whenever it grows."""
        self._listeners.append(listener)
        listener(self.log)

    def begin(self) -> None:
        """Start the story's clock."""
        if not self._by_hand:
            self._task = asyncio.create_task(self._tell())

    def end(self) -> None:
        """Stop the story's clock; what is in force stays."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def close(self, *, cut_off: bool = False) -> None:
        """The drill is over; `cut_off`: nobody left it, the console is gone."""
        self.end()
        self._stop_between()
        if cut_off:
            self._write("cut_off", "The drill was cut off")
        else:
            self._write("ended", "The drill was left")

    def heal(self) -> None:
        """By the remote control, no engineer: no fault is in force, and none comes by itself."""
        self._heal("by_hand", "Healed")

    def inject(self, fault: Fault | None = None) -> None:
        """Add a fault; without one, the scenario's next phase starts now and its story goes on."""
        if fault is not None:
            self._healed = False
            self._extra.append(fault)
            self._enter(f"Injected: {fault.text}", "inject")
            self._apply()
            return
        self._begin_again()

    def alarm(self) -> None:
        """The console showed an alert; the first one since the outage began counts."""
        if self._outage_began and not any(entry.kind == "alarm" for entry in self._log):
            self._write("alarm", "The console showed the first alert")

    def did(self, deed: str) -> None:
        """Somebody did something: it may be a cure, a wrong turn, or neither."""
        for cure in self._scenario.cures:
            if cure.is_done_by(deed) and cure.deed not in self._done:
                self._done.add(cure.deed)
                self._write("cure", cure.title)
                if len(self._done) == len(self._scenario.cures):
                    self._heal("cured", "The outage is over")
                else:
                    self._base = self._without(self._base)
                    self._apply()
                return
        for turn in self._scenario.wrong_turns:
            if turn.is_taken_by(deed):
                self._turn_wrong(turn)
                return

    def stopped(self, step: str, title: str, why: str) -> None:
        """Somebody began a destructive step of the runbook and did not do it; `why` says what stopped it."""
        self._write("stopped", f"Tried “{title}”: {why}", step=step)

    def state(self) -> dict[str, object]:
        """JSON-ready: scenario, phase, faults in force, and what happened when."""
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

    async def _tell(self) -> None:
        """Wait for each phase that is to come, counted from the one we are in."""
        phases = self._scenario.phases
        for index in range(self._index + 1, len(phases)):
            wait = phases[index].at_s - phases[index - 1].at_s
            least = 0.0
            if index == 1:
                wait += self._shift
                least = 0.0 if self._shift else min(wait, _OPENING_S)
            await asyncio.sleep(max(wait / self._speed, least))
            self._advance(index)

    def _advance(self, index: int) -> None:
        self._index = index
        phase = self._scenario.phases[index]
        self._base = self._without(phase.faults)
        kind: EntryKind = "phase"
        if index == 1 and not self._outage_began:
            kind = "outage"
            self._let_come_between()
        self._enter(phase.title, kind)
        self._apply()

    def _without(self, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """The faults that no cure has ended yet."""
        ended = {kind for cure in self._scenario.cures if cure.deed in self._done for kind in cure.ends}
        return tuple(fault for fault in faults if fault.kind not in ended)

    def _begin_again(self) -> None:
        """The next phase, or after the outage was over the first one with a fault."""
        self.end()
        if self._healed or not self._faults.active:
            self._index = 0
        self._healed = False
        self._done.clear()
        self._advance(min(self._index + 1, len(self._scenario.phases) - 1))
        self.begin()

    def _turn_wrong(self, turn: WrongTurn) -> None:
        self._write("danger" if turn.dangerous else "wrong", turn.text)
        if turn.relapse and self._done:
            self._write("relapse", "The outage is back")
            self._begin_again()
        elif turn.worse and not self._healed:
            self._extra.extend(fault for fault in turn.worse if fault not in self._extra)
            self._apply()

    def _heal(self, kind: EntryKind, title: str) -> None:
        self.end()
        self._stop_between()
        self._healed = True
        self._base = ()
        self._extra.clear()
        self._enter(title, kind)
        self._apply()

    def _let_come_between(self) -> None:
        """Start the clocks of messages, injected faults and hints."""
        if self._by_hand:
            return
        hints = [asyncio.create_task(self._offer(hint.at_s, hint.text)) for hint in self._scenario.hints]
        injects = [] if self._quiet else self._scenario.injects
        self._between += [*hints, *(asyncio.create_task(self._come_between(inject)) for inject in injects)]

    def _stop_between(self) -> None:
        for task in self._between:
            task.cancel()
        self._between.clear()

    async def _offer(self, at_s: float, text: str) -> None:
        await asyncio.sleep(at_s / self._speed)
        self._write("hint", text)

    async def _come_between(self, inject: Inject) -> None:
        await asyncio.sleep(inject.at_s / self._speed)
        if inject.message is not None:
            self._write("message", inject.message.text, inject.message.sender)
        if not inject.faults:
            return
        self._write("inject", inject.title)
        self._extra.extend(inject.faults)
        self._apply()
        await asyncio.sleep(inject.for_s)
        for fault in inject.faults:
            if fault in self._extra:
                self._extra.remove(fault)
        self._write("inject", f"Over: {inject.title}")
        self._apply()

    def _apply(self) -> None:
        self._faults.replace((*self._base, *self._extra))

    def _enter(self, title: str, kind: EntryKind) -> None:
        self._title = title
        self._since = self._now()
        self._write(kind, title)

    def _write(self, kind: EntryKind, text: str, who: str = "", step: str = "") -> None:
        self._log.append(Entry(self._now(), kind, text, who, step))
        for listener in self._listeners:
            listener(self.log)
