"""Scenarios: how an outage unfolds, as data in `scenarios/*.yaml`."""

import difflib
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from isla_console.drill.faults import Fault, describe

FOLDER = Path(__file__).parent / "scenarios"


class ScenarioError(Exception):
    """There is no such scenario, or its file is wrong; the message is for people."""


class Phase(BaseModel):
    """From `at_s` seconds after the start these faults, and only these, are in force."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_s: float = Field(ge=0, le=7200)
    title: str
    faults: tuple[Fault, ...] = ()


class Cure(BaseModel):
    """What ends the outage in the story; healing the platform stands for doing it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    text: str


class Scenario(BaseModel):
    """One outage to rehearse."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    story: str
    phases: tuple[Phase, ...] = Field(min_length=2)
    cure: Cure

    @model_validator(mode="after")
    def _a_healthy_start(self) -> "Scenario":
        times = [phase.at_s for phase in self.phases]
        if times[0] != 0 or self.phases[0].faults:
            raise ValueError("the first phase starts at 0 s, without faults")
        if times != sorted(set(times)):
            raise ValueError("phases come in order, each at its own time")
        return self


def names() -> list[str]:
    """The scenarios that ship with the console, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Scenario:
    """A scenario by its name.

    Raises:
        ScenarioError: no such scenario (the message lists them and names the nearest).
    """
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ScenarioError(f"There is no drill {name!r}.{hint} Drills: {', '.join(known)}.")
    try:
        text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        return Scenario.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise ScenarioError(f"{name}.yaml: {describe(error)}") from None
    except (OSError, yaml.YAMLError) as error:
        raise ScenarioError(f"{name}.yaml: {error}") from None
