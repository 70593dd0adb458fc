"""A session without a screen, a person who answers what steps ask, and Vercel on a real port."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from isla_console.drill.platform.services import vercel
from isla_console.drill.scenario.faults import Faults
from isla_console.drill.scenario.model import load
from isla_console.drill.scenario.runner import ScenarioRunner
from isla_console.incident.record.events import Event
from isla_console.runbook.steps import Step
from isla_console.session.confirm import Confirmation, Refusal
from isla_console.session.declare import Declaration, declare
from isla_console.session.questions import Question
from isla_console.session.run_step import StepFlow, StepPage
from isla_console.session.session import Session
from isla_console.settings.resolve import Settings
from isla_console.steps.guard import Judgement
from isla_console.steps.runner import Run
from tests.support.asgi import Recorded, served
from tests.support.frozen import NOW, Moment
from tests.support.runbook import runbook_with
from tests.support.waiting import PATIENCE_S

TOKEN = "vcp_rehearsal_token_0123456789"
SERVING, CANDIDATE, OTHER = (
    "dpl_8xK2qWvTn4RzYbLmJc7Hs9Dp",
    "dpl_5pQ9sLhYd3KxEiBnTz6Wu1Fv",
    "dpl_1aA0mRcPj9VgSfXoNe4Zk7Ty",
)
"""What serves at first, and two of the deployments that production can go back to."""


class Person:
    """Answers as a test says, and keeps what was asked and shown. It is a `StepDialog`."""

    def __init__(self) -> None:
        self.inputs: Mapping[str, str] | None = {}
        """The answers to questions, by name; None leaves them."""
        self.reason: str | None = "because"
        """What is said to a confirmation whose object is typed; None leaves it."""
        self.result: str | None = "it was so"
        self.asked: list[tuple[str, ...]] = []
        """The names of each time's questions."""
        self.confirmations: list[Confirmation] = []
        self.shown: list[str] = []
        """Refusals and texts."""
        self.said: list[str] = []
        self.pages: list[tuple[str, str]] = []
        self.drawn = 0

    async def ask_inputs(self, step: Step, asked: Sequence[Question]) -> Mapping[str, str] | None:
        self.asked.append(tuple(question.input.name for question in asked))
        return self.inputs

    async def ask_result(self, step: Step) -> str | None:
        return self.result

    async def confirm(self, confirmation: Confirmation) -> str | None:
        self.confirmations.append(confirmation)
        return self.reason

    async def open_page(self, page: StepPage, step: Step) -> None:
        self.pages.append((page, step.id))

    def show_text(self, step: Step) -> None:
        self.shown.append(step.text or step.title)

    def show_refusal(self, step: Step, why: Judgement | Refusal) -> None:
        self.shown.append(why.reason if isinstance(why, Refusal) else why.refused)

    def say(self, text: str, *, warn: bool = False) -> None:
        self.said.append(text)

    def redraw(self) -> None:
        self.drawn += 1


@dataclass
class StepConsole:
    """A session, the person at it, and the flow between them."""

    session: Session
    person: Person
    flow: StepFlow
    moment: Moment
    """The session's clock, moved by hand."""

    async def do(self, id: str) -> Run | None:
        """Do a step to the end of everything that it begins; its run, if there was one."""
        services = self.session.step_services
        await self.flow.do(services.step(id))
        await self.ended()
        return services.runner.runs.get(id)

    async def ended(self) -> None:
        """Wait until what was begun has ended; nothing of it may have failed."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self.session._followed)
        assert self.session.faults.shown() == ()

    async def declare(self) -> None:
        """Declare an incident, and work on it."""
        state = self.session.state(NOW)
        assert state is not None
        assert await declare(self.session, Declaration("Redirect down", "P1", "redirect-down"), state)

    def timeline(self, kind: str) -> list[Event]:
        """The incident's events of a kind, oldest first."""
        assert self.session.incident is not None
        return [event for event in self.session.incident.timeline if event.kind == kind]


@contextlib.asynccontextmanager
async def open_console(
    folder: Path, steps: str = "", *, kind: type[Session] = Session, environ: Mapping[str, str] | None = None
) -> AsyncIterator[StepConsole]:
    """A session of `ana` with a real journal in `folder`; `steps` replace the first issue's diagnosis."""
    base = {"HOME": str(folder), "ISLA_ACTOR": "ana", "ISLA_STATE_DIR": str(folder / "state")}
    if steps:
        base["ISLA_RUNBOOK"] = str(runbook_with(folder, steps))
    moment = Moment()
    session = kind(Settings.load(base | dict(environ or {})), moment.clock)
    await session.load_runbook()
    await session.open_journal()
    person = Person()
    try:
        yield StepConsole(session, person, StepFlow(session, person), moment)
    finally:
        await session.close()


@dataclass
class Vercel:
    """Vercel's API on a real port: what it was asked, and what it serves."""

    deployments: vercel.Deployments
    requests: Recorded
    environ: dict[str, str]


@contextlib.asynccontextmanager
async def vercel_api() -> AsyncIterator[Vercel]:
    """The drill's stand-in for Vercel, which changes what it serves in no time."""
    faults = Faults()
    scenario = ScenarioRunner(load("redirect-down"), faults, lambda: NOW, by_hand=True)
    deployments = vercel.Deployments(scenario.observe, now=lambda: NOW, rollback_s=0.01)
    requests = Recorded(vercel.vercel_service(deployments, faults, random.Random(1), TOKEN))
    async with served(requests) as url:
        environ = {
            "VERCEL_TOKEN": TOKEN,
            "VERCEL_PROJECT_ID": vercel.PROJECT,
            "VERCEL_ORG_ID": vercel.TEAM,
            "ISLA_VERCEL_API_URL": url,
        }
        yield Vercel(deployments, requests, environ)
