"""Steps and a runner for tests, without a screen."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from isla_console.runbook.steps import Effect, HttpCall, Input, Step
from isla_console.settings.resolve import Settings
from isla_console.steps.guard import Judgement
from isla_console.steps.inputs import Inputs
from isla_console.steps.outcome import Outcome
from isla_console.steps.runner import Runner
from isla_console.text.redact import Redactor

NOW = datetime(2026, 11, 23, 14, 12, 41, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """A statement's answer."""

    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    row_count: int = 0
    truncated: bool = False
    error: str = ""


class Bench:
    """A runner with inputs of its own; keeps the statements that it was given."""

    def __init__(self, folder: Path, declared: Mapping[str, Input] | None = None, **environ: str) -> None:
        self.settings = Settings.load({"HOME": str(folder), "PATH": os.environ["PATH"], **environ})
        for name, item in (declared or {}).items():
            item.__dict__["name"] = name
        self.redactor = Redactor()
        self.inputs = Inputs(declared or {}, self.settings, self.redactor)
        self.statements: list[tuple[str, list[Any]]] = []
        self.answer = Answer()
        self.runner = Runner(
            self.inputs,
            self.redactor,
            self.settings,
            run_sql=self._sql,
            person={"PATH": os.environ["PATH"], "HOME": str(folder)},
        )

    async def _sql(self, statement: str, params: Sequence[Any]) -> Answer:
        self.statements.append((statement, list(params)))
        return self.answer

    async def do(self, step: Step, effect: Effect | None = None) -> Outcome:
        """Run a step to its end."""
        run = self.runner.start(step, Judgement(effect or step.effect), NOW)
        return await run.task


def shell_step(script: str, **more: Any) -> Step:
    return Step(id="step", title="A step", kind="shell", run=script, **more)


def http_step(url: str, method: str = "GET", **more: Any) -> Step:
    call = {key: more.pop(key) for key in ("query", "headers", "body", "form") if key in more}
    more.setdefault("id", "step")
    return Step(title="A step", kind="http", http=HttpCall(method=method, url=url, **call), **more)  # type: ignore[arg-type]
