"""The guard: what a step really does is its declared effect, raised where a rule sees more, never lowered.

Each rule says what it saw. A rule may also refuse a step that cannot be run safely here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from isla_console.runbook import effects
from isla_console.runbook.effects import ORDER
from isla_console.runbook.shell import tools
from isla_console.runbook.steps import Effect, Step


@dataclass(frozen=True, slots=True)
class Judgement:
    """The effect that counts, why it is higher than declared, and why the step is refused ("" if not)."""

    effect: Effect
    reasons: tuple[str, ...] = ()
    refused: str = ""

    @property
    def is_guarded(self) -> bool:
        """Whether a person confirms it first by typing."""
        return self.effect in {"write", "destroy"}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the judgement depends on besides the step."""

    in_incident: bool
    in_drill: bool
    write_problem: str = ""
    """Why nothing can be journalled ("" when it can)."""
    live_stripe_key: bool = False


SqlEffect = Callable[[str], tuple[Effect, tuple[str, ...]]]
"""Gives a statement's effect by PostgreSQL's own grammar, and why."""


def judge(step: Step, circumstances: Circumstances, sql_effect: SqlEffect) -> Judgement:
    """Judge a step's effect here and now, and whether it may be run."""
    effect, reasons = step.effect, []
    for seen, why in _seen(step, sql_effect):
        if ORDER.index(seen) > ORDER.index(step.effect):
            reasons.append(why)
            effect = max(effect, seen, key=ORDER.index)
    return Judgement(effect, tuple(dict.fromkeys(reasons)), _refused(step, effect, circumstances))


def _refused(step: Step, effect: Effect, here: Circumstances) -> str:
    if step.blocked:
        instead = f" Instead: {step.instead}" if step.instead else ""
        return f"blocked: {step.blocked}{instead}"
    started = tools(step.run or "") if step.kind == "shell" else ()
    if here.in_drill and (vendor := next((tool for tool in started if tool in _VENDORS), None)):
        return f"in a drill {vendor} is not run: it would reach the real platform"
    if "stripe" in started and re.search(r"\btrigger\b", step.run or "") and here.live_stripe_key:
        return "with a live key `stripe trigger` creates real objects in the live account"
    if effect == "destroy" and not here.in_incident:
        return "outside an incident nothing is destroyed: d declares one, then this is journalled"
    if effect == "destroy" and here.write_problem:
        return f"it could not be journalled: {here.write_problem}"
    return ""


_VENDORS: Final = frozenset({"vercel", "supabase", "stripe", "gh", "aws", "gcloud", "kubectl", "npm", "npx"})


def _seen(step: Step, sql_effect: SqlEffect) -> Iterator[tuple[Effect, str]]:
    if step.kind == "shell" and step.run:
        yield from effects.of_shell(step.run)
    elif step.kind == "http" and step.http is not None:
        yield from effects.of_http(step.http.method, step.http.url, step.http.headers)
    elif step.kind == "sql" and step.run:
        effect, reasons = sql_effect(step.run)
        for why in reasons or (f"the statement is a {effect}",):
            yield effect, why
