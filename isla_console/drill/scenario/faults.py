"""Faults: what can be wrong with the drill's platform, as data, and those in force now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Service = Literal["app", "webhook", "redirect", "rest", "auth"]
"""The HTTP services: app.isla.link, its Stripe webhook, isla.link, Supabase's REST gateway, Supabase Auth."""

SERVICES: tuple[Service, ...] = get_args(Service)


class FaultError(ValueError):
    """The description is not of a fault; the message says what is wrong with it."""


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Latency(_Fault):
    """Every answer of a service takes exactly `ms` longer."""

    kind: Literal["latency"] = "latency"
    target: Service
    ms: int = Field(gt=0, le=120_000)

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return f"{self.target}: {self.ms} ms slower"


class Errors(_Fault):
    """A share (0 to 1) of a service's answers is an error status instead."""

    kind: Literal["errors"] = "errors"
    target: Service
    status: int = Field(default=500, ge=400, le=599)
    share: float = Field(default=1.0, gt=0, le=1)

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return f"{self.target}: {self.share:.0%} of answers are {self.status}"


class ClicksStop(_Fault):
    """Redirects work, but clicks are not stored."""

    kind: Literal["clicks_stop"] = "clicks_stop"

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return "clicks are not stored"


class Connections(_Fault):
    """`count` more connections to the database are held open, idle."""

    kind: Literal["connections"] = "connections"
    count: int = Field(gt=0, le=200)
    application_name: str = Field(default="pgbouncer", min_length=1, max_length=63)
    returns: bool = True
    """Whether ended sessions are opened again, as a pool's are; leaked ones are not."""

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return f"{self.count} connections held by {self.application_name}"


class PileUp(_Fault):
    """A forgotten transaction holds up a migration, and `waiting` queries wait behind that."""

    kind: Literal["pile_up"] = "pile_up"
    waiting: int = Field(default=5, gt=0, le=20)

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return f"a migration waits behind a forgotten transaction, {self.waiting} queries behind it"


class JobsFail(_Fault):
    """The scheduler's jobs run, and fail."""

    kind: Literal["jobs_fail"] = "jobs_fail"

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return "scheduled jobs fail"


class PaymentsFail(_Fault):
    """A share (0 to 1) of the payments is declined, and customers try again."""

    kind: Literal["payments_fail"] = "payments_fail"
    share: float = Field(default=1.0, gt=0, le=1)

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return f"{self.share:.0%} of payments are declined"


class VendorTrouble(_Fault):
    """A vendor's status page reports trouble; `unreadable` is a page whose format changed."""

    kind: Literal["vendor"] = "vendor"
    vendor: Literal["vercel", "supabase", "stripe"]
    state: Literal["degraded", "down", "unreadable"] = "down"

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return f"{self.vendor}'s status page: {self.state}"


class ManyQueries(_Fault):
    """Each request to the application makes `count` more queries, a row each."""

    kind: Literal["many_queries"] = "many_queries"
    count: int = Field(gt=0, le=5000)

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return f"app: {self.count} queries more for each request"


class DayMissing(_Fault):
    """The totals of the UTC day `days_ago` are gone; its clicks are still there."""

    kind: Literal["day_missing"] = "day_missing"
    days_ago: int = Field(default=1, ge=1, le=28)

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return f"no totals of {self.days_ago} d ago"


class Duplicates(_Fault):
    """A retried batch has stored `count` clicks of the last hour twice; they stay."""

    kind: Literal["duplicates"] = "duplicates"
    count: int = Field(default=40, gt=0, le=5000)

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return f"{self.count} clicks stored twice"


class OauthRedirect(_Fault):
    """Google refuses the address it should send people back to."""

    kind: Literal["oauth_redirect"] = "oauth_redirect"

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return "sign-in with Google: redirect_uri_mismatch"


class LinkLost(_Fault):
    """The console's own network link is lost: the address it checks its link by does not answer."""

    kind: Literal["link_lost"] = "link_lost"

    @property
    def text(self) -> str:
        """The fault in a few words, for people."""
        return "the console's own link is lost"


Fault = Annotated[
    Latency
    | Errors
    | ClicksStop
    | JobsFail
    | Connections
    | PileUp
    | PaymentsFail
    | VendorTrouble
    | ManyQueries
    | DayMissing
    | Duplicates
    | OauthRedirect
    | LinkLost,
    Field(discriminator="kind"),
]

_adapter: TypeAdapter[Any] = TypeAdapter(Fault)


def parse_fault(data: object) -> Fault:
    """Read a fault from its JSON shape: `{"kind": "latency", "target": "redirect", "ms": 1200}`.

    Raises:
        FaultError: It is not a fault.
    """
    try:
        fault: Fault = _adapter.validate_python(data)
        return fault
    except ValidationError as error:
        raise FaultError(describe(error)) from None


def describe(error: ValidationError) -> str:
    """Return a validation error in one line, without the values: `ms: Field required`."""
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"])))
        for one in error.errors(include_url=False, include_input=False)
    )


class Faults:
    """The faults in force now, as the platform's parts ask for them."""

    def __init__(self) -> None:
        self._active: tuple[Fault, ...] = ()
        self._listeners: list[Callable[[], None]] = []

    @property
    def active(self) -> tuple[Fault, ...]:
        """The faults in force."""
        return self._active

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change of the faults in force."""
        self._listeners.append(listener)

    def replace(self, faults: Iterable[Fault]) -> None:
        """Put these faults in force and no others."""
        self._active = tuple(faults)
        for listener in self._listeners:
            listener()

    def add(self, fault: Fault) -> None:
        """Put one more fault in force."""
        self.replace((*self._active, fault))

    def added_ms(self, service: Service) -> int:
        """Return how much longer a service takes, in milliseconds."""
        return sum(f.ms for f in self._active if isinstance(f, Latency) and _hits(f.target, service))

    def error(self, service: Service, draw: float) -> int | None:
        """Return the error status that an answer gets, or None; `draw` is uniform in [0, 1)."""
        for fault in self._active:
            if isinstance(fault, Errors) and _hits(fault.target, service) and draw < fault.share:
                return fault.status
        return None

    @property
    def clicks_stopped(self) -> bool:
        """Whether clicks are not stored."""
        return any(isinstance(fault, ClicksStop) for fault in self._active)

    @property
    def jobs_failing(self) -> bool:
        """Whether scheduled jobs fail."""
        return any(isinstance(fault, JobsFail) for fault in self._active)

    @property
    def payments_failing(self) -> float:
        """The share of payments declined by a fault; 0 without one."""
        return max((fault.share for fault in self._active if isinstance(fault, PaymentsFail)), default=0.0)

    def vendor(self, vendor: str) -> str | None:
        """Return what a vendor's page reports (degraded, down, unreadable), or None when all is well."""
        for fault in self._active:
            if isinstance(fault, VendorTrouble) and fault.vendor == vendor:
                return fault.state
        return None

    @property
    def more_queries(self) -> int:
        """How many more queries a request to the application makes."""
        return sum(fault.count for fault in self._active if isinstance(fault, ManyQueries))

    @property
    def days_missing(self) -> frozenset[int]:
        """Days, counted back from today, whose totals are gone."""
        return frozenset(fault.days_ago for fault in self._active if isinstance(fault, DayMissing))

    @property
    def duplicated(self) -> int:
        """How many clicks are stored twice."""
        return sum(fault.count for fault in self._active if isinstance(fault, Duplicates))

    @property
    def piled_up(self) -> int:
        """How many queries wait behind the migration; 0 without a pile-up."""
        return sum(fault.waiting for fault in self._active if isinstance(fault, PileUp))

    @property
    def oauth_broken(self) -> bool:
        """Whether Google refuses the address of the redirect."""
        return any(isinstance(fault, OauthRedirect) for fault in self._active)

    @property
    def link_lost(self) -> bool:
        """Whether the console's own network link is lost."""
        return any(isinstance(fault, LinkLost) for fault in self._active)

    def leaked(self) -> frozenset[str]:
        """Return the applications whose ended connections are not opened again."""
        found = [fault for fault in self._active if isinstance(fault, Connections)]
        return frozenset(fault.application_name for fault in found if not fault.returns)

    def held(self) -> dict[str, int]:
        """Return how many connections to hold open, by application name."""
        wanted: dict[str, int] = {}
        for fault in self._active:
            if isinstance(fault, Connections):
                name = fault.application_name
                wanted[name] = wanted.get(name, 0) + fault.count
        return wanted


def _hits(target: Service, service: Service) -> bool:
    """Return whether a fault of `target` hits `service`: the webhook is a part of the application."""
    return target == service or (target == "app" and service == "webhook")
