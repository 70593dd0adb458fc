"""A change of what production serves that a step began: followed to its end, taken back, followed up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from isla_console.runbook.steps import Step
from isla_console.session.session import Session
from isla_console.session.step_journal import StepJournal
from isla_console.session.steps import StepServices
from isla_console.steps import rollback


def changes_production(step: Step) -> bool:
    """Whether a step chooses which deployment production serves: a rollback, or the undo of one."""
    return bool(rollback.target_input(step) or rollback.promoted(step))


class PromotionWatch:
    """One change, from the step that asks for it until production serves what was asked for.

    It is made before the step runs: what is typed or forgotten meanwhile changes nothing in it.
    """

    def __init__(self, step: Step, services: StepServices, now: datetime, *, before: str) -> None:
        """`before` is the deployment that serves when the step is begun; "" where nobody knows."""
        self._step = step
        self._original = services.original(step)
        self._values = services.inputs.values(self._original, now)
        self._before = before
        self._trust_env = not services.settings.drill
        self._is_undo = self._original.id != step.id
        self.target = rollback.promoted(step) or self._values[rollback.target_input(step)]
        """The deployment that is to serve."""

    async def follow(self, session: Session, journal: StepJournal, redraw: Callable[[], None]) -> None:
        """Watch the change to its end, then ask every probe again; note it, and offer what takes it back.

        How far it is stands in the services' `progress` of the step; `redraw` is called as it changes.
        """
        services = session.step_services
        short = self.target[:16]

        def tell(text: str) -> None:
            services.progress[self._step.id] = f"{short}: {text}"
            redraw()

        problem = await rollback.follow(
            rollback.project_call(self._original),
            self._values,
            self.target,
            tell,
            trust_env=self._trust_env,
        )
        said = problem or "serves production"
        tell(f"{said}; asking every probe again")
        await session.recheck()
        tell(f"{said}; every probe was asked again")
        await journal.add_note(f"{short} {said} ({self._step.title})")
        services.undo.pop(self._original.id, None)
        if problem or self._is_undo:
            return
        if self._before:
            services.undo[self._step.id] = rollback.undo_step(self._step, self._before)
        for text, kind in rollback.follow_ups(self.target, self._before):
            await journal.add_action(text, kind)
