"""One measurement: an answer from a source, or the lack of one. A failure is a sample like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

State = Literal["ok", "elevated", "alert", "stale", "unknown", "blind"]
"""The state of a metric or probe.

`elevated` lies between normal and alert; `stale` had no sample for three intervals; `unknown` has no source
or no sample yet; `blind` means that our own link is down, so that nothing is known.
"""

NO_VALUES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Phases:
    """The phases of an HTTP request. None where it did not get that far, or had no such phase.

    The milliseconds of `dns`, `connect`, `tls` and `first_byte` are each phase's own, not running
    sums; `first_byte` runs from the request being sent to the first byte of the answer. `total` runs
    from before the name lookup to the end of the answer (or of the part that is read).
    """

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float | None = None
    address: str | None = None
    """The address that was connected to, with its port."""
    status: int | None = None
    location: str | None = None
    """Where a redirect points; it is never followed."""
    cert_expires: datetime | None = None
    server_time: datetime | None = None
    """The far side's clock, from its Date header."""
    retry_after_s: float | None = None
    """For how many seconds the far side asks us not to come back."""
    content_type: str = ""
    body_excerpt: str = ""
    """The start of the answer's body as plain text."""

    @property
    def server_ms(self) -> float | None:
        """The far side's own time: first byte less one round trip, as the connect took."""
        if self.first_byte_ms is None or self.connect_ms is None:
            return None
        return max(self.first_byte_ms - self.connect_ms, 0.0)


def defect(error: BaseException) -> str:
    """Return what to say of a defect of the console. The error's own text may quote a secret."""
    return f"a defect of this console: {type(error).__name__}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of one source."""

    source: str
    """The id of the source that was asked."""
    at: datetime
    """When the result was known, aware UTC."""
    ok: bool
    reason: str = ""
    """Why it is not ok, in words that are safe to show; "" when it is ok."""
    phases: Phases | None = None
    values: Mapping[str, float] = field(default_factory=lambda: NO_VALUES)
    """Measured numbers by name."""
    reached: bool = False
    """Whether anything at all answered over the network, if only to refuse."""
    timed_out_ms: float | None = None
    """For a timeout, the milliseconds waited: the true duration is at least that. None otherwise."""
    void: bool = False
    """Whether it says nothing of what was asked about, because the question could not be asked."""
    ours: bool = False
    """Whether that is a fault of our own: a defect, a setting, a limit of this machine."""
    detail: object = None
    """What was learnt besides numbers: a vendor's status, deployments, payments."""

    @property
    def counts(self) -> bool:
        """Whether it says anything about what was asked."""
        return not (self.void or self.ours)
