"""Scenarios: how an outage unfolds and what ends it, as data in `scenarios/*.yaml`.

What people do about it are actions, which scenarios match by shell patterns: see `actions`.
"""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from isla_console.drill.scenario.faults import Fault, describe

FOLDER = Path(__file__).parent / "scenarios"


class ScenarioError(Exception):
    """There is no such scenario, or its file is wrong; the message is for people."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Phase(_Part):
    """A stretch of the outage: from `at_s` seconds after the start exactly these faults are in force."""

    at_s: float = Field(ge=0, le=7200)
    title: str
    faults: tuple[Fault, ...] = ()


class Cure(_Part):
    """The action that ends the outage, or, with `ends` (kinds of fault), a part of it."""

    action: str
    title: str
    text: str = ""
    ends: tuple[str, ...] = ()

    def is_done_by(self, action: str) -> bool:
        """Return whether an action is this cure."""
        return fnmatchcase(action, self.action)


class WrongTurn(_Part):
    """An action that does not help; `dangerous` says that it could do harm, `worse` which faults it adds."""

    action: str
    text: str
    dangerous: bool = False
    worse: tuple[Fault, ...] = ()
    relapse: bool = False
    """Whether it brings the outage back once that is over."""

    def is_taken_by(self, action: str) -> bool:
        """Return whether an action is this wrong turn."""
        return fnmatchcase(action, self.action)


class Message(_Part):
    """What a person who is waiting says."""

    sender: str
    text: str


class Inject(_Part):
    """Something that happens `at_s` after the outage began: a message, or more faults for `for_s` seconds."""

    at_s: float = Field(ge=0, le=7200)
    message: Message | None = None
    title: str = ""
    faults: tuple[Fault, ...] = ()
    for_s: float = Field(default=60, gt=0, le=3600)

    @model_validator(mode="after")
    def _has_an_effect(self) -> Inject:
        if self.message is None and not self.faults:
            raise ValueError("an inject is a message or faults")
        if self.faults and not self.title:
            raise ValueError("injected faults have a title")
        return self


class Hint(_Part):
    """Help for an engineer who is stuck, offered `at_s` after the outage began."""

    at_s: float = Field(ge=0, le=7200)
    text: str


class Par(_Part):
    """What a good engineer needs, in seconds after the outage began (the first update: after declaring)."""

    declared: float = 120
    first_update: float = 300
    cause: float = 300
    mitigated: float = 600


class Scenario(_Part):
    """One outage to rehearse.

    `issue` is the runbook's issue that it is; `cause` are patterns of the ids of steps that show or treat the
    right cause; `truths` say afterwards what was really wrong, and `red_herrings` what only looked like it.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    issue: str
    summary: str
    briefing: str
    phases: tuple[Phase, ...] = Field(min_length=2)
    cause: tuple[str, ...] = Field(min_length=1)
    cures: tuple[Cure, ...] = Field(min_length=1)
    wrong_turns: tuple[WrongTurn, ...] = ()
    truths: tuple[str, ...] = Field(min_length=1)
    red_herrings: tuple[str, ...] = ()
    injects: tuple[Inject, ...] = ()
    hints: tuple[Hint, ...] = ()
    par: Par = Par()

    @model_validator(mode="after")
    def _starts_healthy(self) -> Scenario:
        times = [phase.at_s for phase in self.phases]
        if times[0] != 0 or self.phases[0].faults:
            raise ValueError("the first phase starts at 0 s, without faults")
        if times != sorted(set(times)):
            raise ValueError("phases come in order, each at its own time")
        if not self.phases[1].faults:
            raise ValueError("the outage begins with the second phase")
        return self

    def is_cause(self, step: str) -> bool:
        """Return whether a step of the runbook shows or treats the right cause."""
        return any(fnmatchcase(step, pattern) for pattern in self.cause)


def names() -> list[str]:
    """Return the names of the scenarios that ship with the console, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Scenario:
    """Load a scenario by its name.

    Raises:
        ScenarioError: There is no such scenario (the message lists them and names the nearest), or its file
            is wrong.
    """
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ScenarioError(f"There is no drill {name!r}.{hint} Drills: {', '.join(known)}, random.")
    try:
        text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        return Scenario.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise ScenarioError(f"{name}.yaml: {describe(error)}") from None
    except (OSError, yaml.YAMLError) as error:
        raise ScenarioError(f"{name}.yaml: {error}") from None
