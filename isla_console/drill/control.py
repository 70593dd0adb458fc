"""The console's side of a drill's remote control. Failures are values: nothing here raises."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from isla_console.drill.entry import Entry

_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class DrillState:
    """Where the drill stands, or why that is not known.

    `faults` are texts for people; `log` is what happened, as (ISO 8601 UTC, text); `truths` are
    the platform's own numbers, for comparing; `entries` are the log in full. With a `reason`
    everything else is empty.
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
        return not self.reason


async def state(url: str) -> DrillState:
    """Ask where the drill stands. `url` is ISLA_DRILL_CONTROL, token included."""
    return await _call(url, "GET", "/state", b"")


async def story(url: str) -> DrillState:
    """Ask what happened so far; no truths. Cheap: once a second is fine."""
    return await _call(url, "GET", "/story", b"")


async def alarm(url: str) -> DrillState:
    """Say that the console shows an alert."""
    return await _call(url, "POST", "/alarm", b"")


async def stopped(url: str, step: str, title: str, why: str) -> DrillState:
    """Say that a destructive step was begun and not done, and what stopped it."""
    body = json.dumps({"step": step, "title": title, "why": why}).encode()
    return await _call(url, "POST", "/stopped", body)


async def heal(url: str) -> DrillState:
    """Take away every fault; the scenario brings none by itself any more."""
    return await _call(url, "POST", "/heal", b"")


async def inject(url: str, fault: Mapping[str, object] | None = None) -> DrillState:
    """Put a fault in force: `{"kind": "latency", "target": "redirect", "ms": 300}`.

    Without one the scenario's next phase begins now.
    """
    body = b"" if fault is None else json.dumps(dict(fault)).encode()
    return await _call(url, "POST", "/fault", body)


async def _call(url: str, method: str, path: str, body: bytes) -> DrillState:
    import httpx

    try:
        parts = urlsplit(url)
        token = parse_qs(parts.query).get("token", [""])[0]
        target = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        # trust_env: a proxy in the environment is not for loopback. verify: no TLS here, and loading the
        # certificates each time took 50 ms of CPU.
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
