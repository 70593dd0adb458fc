"""A change of what production serves, begun by a step: followed to its end, with its undo and follow-ups."""

from __future__ import annotations

import asyncio
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

    def __init__(
        self, step: Step, services: StepServices, now: datetime, *, before: str, begun_in: str
    ) -> None:
        """Note what the step asks for.

        Args:
            step: The step, whose inputs are all there.
            services: What it is done with.
            now: Aware UTC.
            before: The deployment that serves at its start, "" if unknown.
            begun_in: The id of the incident in which it is begun, "" for none.
        """
        self._step = step
        self._original = services.original(step)
        self._values = services.inputs.values(self._original, now)
        self._before = before
        self._begun_in = begun_in
        self._trust_env = not services.settings.drill
        self._is_undo = self._original.id != step.id
        self.target = rollback.promoted(step) or self._values[rollback.target_input(step)]
        """The id of the deployment that production is to serve."""

    async def follow(self, session: Session, journal: StepJournal, redraw: Callable[[], None]) -> None:
        """Follow the change to its end, note the result, offer the undo, and ask every probe again.

        The services' `progress` of the step says how far it is; `redraw` is called as that changes. A console
        that ends before production serves the deployment notes that nobody saw it.
        """
        services = session.step_services
        short, title = self.target[:16], self._step.title

        def tell(text: str) -> None:
            services.progress[self._step.id] = f"{short}: {text}"
            redraw()

        try:
            problem = await rollback.follow(
                rollback.project_call(self._original),
                self._values,
                self.target,
                tell,
                trust_env=self._trust_env,
            )
        except asyncio.CancelledError:
            unseen = f"{short}: the console ended before production was seen to serve it"
            before = f"; before, {self._before} served" if self._before else ""
            await journal.add_note(f"{unseen}{before} ({title})", self._begun_in)
            raise
        said = problem or "serves production"
        await journal.add_note(f"{short} {said} ({title})", self._begun_in)
        services.undo.pop(self._original.id, None)
        if not problem and not self._is_undo:
            if self._before:
                services.undo[self._step.id] = rollback.undo_step(self._step, self._before)
            for text, kind in rollback.follow_ups(self.target, self._before):
                await journal.add_action(text, kind, self._begun_in)
        tell(f"{said}; asking every probe again")
        await session.recheck()
        tell(f"{said}; every probe was asked again")
