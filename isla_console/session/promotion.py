"""A change of what production serves, begun by a step: followed to its end, with its undo and follow-ups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from isla_console.runbook.steps import Step
from isla_console.session.session import Session
from isla_console.session.step_journal import StepJournal
from isla_console.session.steps import StepServices
from isla_console.steps import rollback


def changes_production(step: Step) -> bool:
    """Return whether a step chooses which deployment production serves: a rollback, or the undo of one."""
    return bool(rollback.target_input(step) or rollback.promoted(step))


class PromotionWatch:
    """One change, from the step that asks for it until production serves the deployment.

    It is made before the step runs, so that nothing that is typed or forgotten meanwhile changes it.
    """

    def __init__(self, step: Step, services: StepServices, now: datetime, *, before: str) -> None:
        """Note what the step asks for; `before` is the deployment that serves at its start, "" if unknown."""
        self._step = step
        self._original = services.original(step)
        self._values = services.inputs.values(self._original, now)
        self._before = before
        self._trust_env = not services.settings.drill
        self._is_undo = self._original.id != step.id
        self.target = rollback.promoted(step) or self._values[rollback.target_input(step)]
        """The id of the deployment that production is to serve."""

    async def follow(self, session: Session, journal: StepJournal, redraw: Callable[[], None]) -> None:
        """Follow the change to its end, ask every probe again, note the result, and offer the undo.

        The services' `progress` of the step says how far it is; `redraw` is called as that changes.
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
