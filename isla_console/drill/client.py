"""Everything that the rest of the console may know of drills.

In a drill the console asks the platform's remote control for the drill's state (`state`, `progress`), tells
it what the screen shows (`alarm`, `stopped`), and switches the outage off and on (`heal`, `inject`); `url` is
always ISLA_DRILL_CONTROL, token included. A platform that cannot be reached does not raise: the answer is a
`DrillState` with a `reason`. `score_so_far` and `scenario` are for the drill's own page, `quickened` for the
rules of a quick drill, and the last functions are the commands.

Importing this module is cheap: what a drill needs is imported when it is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from isla_console.drill.scenario.entry import Entry as Entry
from isla_console.drill.scenario.entry import EntryKind as EntryKind
from isla_console.drill.scenario.speed import quickened as quickened

if TYPE_CHECKING:
    from isla_console.drill.scenario.model import Scenario
    from isla_console.drill.score.scoring import Score
    from isla_console.incident.record.events import Event
    from isla_console.settings.resolve import Settings

_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class DrillState:
    """The state of the drill, or why it is not known.

    `faults` are texts for people; `log` is what happened, as (ISO 8601 UTC, text); `truths` are the
    platform's own numbers, for comparison; `entries` are the log in full. With a `reason` everything else is
    empty.
    """

    scenario: str = ""
    title: str = ""
    phase: str = ""
    phase_since: str = ""
    healed: bool = False
    faults: tuple[str, ...] = ()
    log: tuple[tuple[str, str], ...] = ()
    truths: Mapping[str, Any] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    briefing: str = ""
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether the platform answered."""
        return not self.reason


async def state(url: str) -> DrillState:
    """Ask for the state of the drill, with the platform's truths."""
    return await _call(url, "GET", "/state", b"")


async def progress(url: str) -> DrillState:
    """Ask what happened so far, without truths. Cheap: once a second is fine."""
    return await _call(url, "GET", "/progress", b"")


async def alarm(url: str) -> DrillState:
    """Tell the platform that the console shows an alert."""
    return await _call(url, "POST", "/alarm", b"")


async def stopped(url: str, step: str, title: str, why: str) -> DrillState:
    """Tell the platform that a destructive step was begun and not done, and what stopped it."""
    body = json.dumps({"step": step, "title": title, "why": why}).encode()
    return await _call(url, "POST", "/stopped", body)


async def heal(url: str) -> DrillState:
    """Remove every fault; the scenario brings no more by itself."""
    return await _call(url, "POST", "/heal", b"")


async def inject(url: str, fault: Mapping[str, object] | None = None) -> DrillState:
    """Put a fault in force: `{"kind": "latency", "target": "redirect", "ms": 300}`.

    Without one the scenario's next phase begins now.
    """
    body = b"" if fault is None else json.dumps(dict(fault)).encode()
    return await _call(url, "POST", "/fault", body)


@cache
def scenario(name: str) -> Scenario:
    """Load a scenario, once.

    Raises:
        ScenarioError: There is no scenario of this name.
    """
    from isla_console.drill.scenario.model import load

    return load(name)


def score_so_far(
    drill: DrillState, events: Sequence[Event], *, actor: str, speed: float, now: datetime
) -> Score:
    """Score a drill as if it ended now, by its log (not empty) and the events journalled in it."""
    from isla_console.drill.score.record import Record
    from isla_console.drill.score.scoring import score

    log = (*drill.entries, Entry(now, "ended", ""))
    record = Record("", drill.scenario, actor, 0, speed, False, log[0].at, log)
    return score(record, scenario(drill.scenario), events)


def run(
    name: str,
    open_console: Callable[[Settings], int],
    *,
    headless: bool,
    speed: float,
    seed: int | None,
    quiet: bool,
) -> int:
    """Run `isla-console drill NAME` and return the exit code; see `drill.run.main`."""
    from isla_console.drill.run import main

    return main(name, open_console, headless=headless, speed=speed, seed=seed, quiet=quiet)


def list_scenarios() -> str:
    """Return name and title of each scenario, a line each."""
    from isla_console.drill.run import list_scenarios

    return list_scenarios()


def print_report(environ: Mapping[str, str]) -> int:
    """Print the newest drill in full and all of them in a table; return the exit code."""
    from isla_console.drill.run import print_report

    return print_report(environ)


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that may reach a drill or a replay: none of production's."""
    from isla_console.drill.environment import clean

    return clean(environ)


async def _call(url: str, method: str, path: str, body: bytes) -> DrillState:
    import httpx

    try:
        parts = urlsplit(url)
        token = parse_qs(parts.query).get("token", [""])[0]
        target = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        # trust_env: a proxy in the environment is not meant for loopback. verify: there is no TLS here, and
        # loading the certificates each time took 50 ms of CPU.
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, verify=False) as client:
            response = await client.request(
                method, target, content=body, headers={"Authorization": f"Bearer {token}"}
            )
        data = response.json()
        if response.status_code != 200:
            return DrillState(reason=f"the drill says: {data['error']}")
        return _parse(data)
    except httpx.TimeoutException:
        return DrillState(reason=f"the drill did not answer within {_TIMEOUT_S:.0f} s")
    except httpx.TransportError:
        return DrillState(reason="the drill's platform is not running")
    except (httpx.InvalidURL, httpx.HTTPError, ValueError, KeyError, TypeError):
        return DrillState(reason="that is no drill's control address")


def _parse(data: Mapping[str, Any]) -> DrillState:
    return DrillState(
        scenario=str(data["scenario"]),
        title=str(data["title"]),
        phase=str(data["phase"]["title"]),
        phase_since=str(data["phase"]["since"]),
        healed=bool(data["healed"]),
        faults=tuple(str(fault["text"]) for fault in data["faults"]),
        log=tuple((str(entry["at"]), str(entry["text"])) for entry in data["log"]),
        truths=dict(data["truths"]),
        entries=tuple(Entry.from_dict(entry) for entry in data["log"]),
        briefing=str(data["briefing"]),
    )
