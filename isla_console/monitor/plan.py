"""From the runbook and the configuration to what is measured, and what is missing for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from isla_console.monitor.link import parse_targets
from isla_console.monitor.metrics.metric import MetricRule
from isla_console.monitor.metrics.window import Aggregate
from isla_console.monitor.sources.answers import MAX_JSON
from isla_console.monitor.sources.http import HttpCheck
from isla_console.monitor.sources.json_value import PROMETHEUS
from isla_console.monitor.sources.payments import mode_of
from isla_console.settings import Secret, Settings

if TYPE_CHECKING:
    from isla_console.runbook.model import HealthCheck, HttpCall, Input, MetricSpec, Runbook

DATABASE_VARIABLE = "ISLA_DATABASE_URL"
LINK_VARIABLE = "ISLA_LINK_CHECK"
STRIPE_VARIABLE = "STRIPE_API_KEY"
STRIPE_URL = "https://api.stripe.com"

_TIMEOUT_SHARE = 0.9
"""Of its interval, that a probe may take: it never queues behind itself."""
_JSON_TIMEOUT_S = 5.0
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """A probe. Without a `check` it cannot run, and `unknown` says what to do about that."""

    id: str
    title: str
    every_s: float
    check: HttpCheck | None
    unknown: str = ""
    needs: tuple[str, ...] = ()
    healthy: str = ""
    """A JMESPath over the answer that gives true, or why all is not well."""
    sql: str = ""
    """Asked of the database instead: a row says what is not well."""


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """A metric and where its measurements come from: exactly one of the sources, or `unknown`."""

    rule: MetricRule
    aggregate: Aggregate
    window_s: float
    probes: frozenset[str] = frozenset()
    """Latency or error rate: the probes whose samples feed it."""
    measure: Literal["total", "server_time", "failed"] = "total"
    """What it takes from those samples."""
    sql: str | None = None
    request: HttpCheck | None = None
    select: str = ""
    """A JMESPath for the number in the request's answer."""
    payments: bool = False
    """It is asked of Stripe: the share of attempts in the window that succeeded."""
    unknown: str = ""
    """Why it is not measured and what to do."""


@dataclass(frozen=True, slots=True)
class VendorPlan:
    """A status page. Without a `check` it cannot be read, and `unknown` says what to do about that."""

    id: str
    title: str
    format: str
    every_s: float
    check: HttpCheck | None
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentsPlan:
    """Where deployments are read. Without `recent` they are not, and `unknown` says why."""

    recent: HttpCheck | None
    rows: str
    serving: HttpCheck | None
    serves: str | None
    every_s: float
    whose: str
    credential: str
    """The variable to look at when the token is refused."""
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class StripePlan:
    """How Stripe is asked. Without a key it is not."""

    key: Secret | None
    url: str
    window_s: float
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """The self-check of our own link. No targets: never blind, and `unknown` says why."""

    targets: tuple[tuple[str, int], ...]
    every_s: float
    timeout_s: float
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is measured."""

    probes: tuple[ProbePlan, ...]
    metrics: tuple[MetricPlan, ...]
    link: LinkPlan
    database: Secret | None
    database_unknown: str
    stripe: StripePlan
    vendors: tuple[VendorPlan, ...] = ()
    deployments: DeploymentsPlan | None = None


def plan(runbook: Runbook, settings: Settings) -> Plan:
    """What to measure. Never raises: what is not configured is unknown, with the variable to set."""
    inputs = _Inputs(runbook.inputs, settings)
    probes = tuple(_probe(check, inputs) for check in runbook.all_requests())
    database = settings.secret(DATABASE_VARIABLE)
    database_unknown = "" if database else inputs.missing_text([DATABASE_VARIABLE])
    checks = tuple(
        ProbePlan(check.id, check.title, check.every_s, None, database_unknown, sql=check.query)
        for check in runbook.database_checks
    )
    metrics = tuple(_metric(spec, probes, inputs, settings, database_unknown) for spec in runbook.metrics)
    return Plan(
        probes + checks,
        metrics,
        _link(runbook, settings),
        database,
        database_unknown,
        _stripe(runbook, settings, inputs),
        _vendors(runbook, inputs, bool(database) or any(probe.check for probe in probes)),
        _deployments(runbook, inputs),
    )


@dataclass(frozen=True, slots=True)
class _Filled:
    """A template with its inputs in place. `missing` are the variables that are not set."""

    text: str
    missing: tuple[str, ...]
    optional_missing: bool
    secrets: tuple[Secret, ...]


class _Inputs:
    """The runbook's inputs with their values from the configuration."""

    def __init__(self, declared: Mapping[str, Input], settings: Settings) -> None:
        self._declared = declared
        self._settings = settings

    def fill(self, template: str, *, in_url: bool) -> _Filled:
        """Replace each `${NAME}`; in a URL, what is no address itself is percent-encoded."""
        missing: list[str] = []
        secrets: list[Secret] = []
        optional_missing = False

        def replacement(match: re.Match[str]) -> str:
            nonlocal optional_missing
            name = match[1]
            declared = self._declared.get(name)
            variable = (declared.env if declared else None) or name
            value = self._value(declared, variable)
            if value is None:
                if declared is not None and declared.optional:
                    optional_missing = True
                else:
                    missing.append(variable)
                return ""
            if declared is not None and (declared.secret or declared.type in {"secret", "dsn"}):
                secrets.append(value)
            text = value.reveal().strip()
            if not in_url:
                return text
            if declared is not None and declared.type == "url":
                return text.rstrip("/")
            return quote(text, safe="")

        text = _VARIABLE.sub(replacement, template)
        return _Filled(text, tuple(dict.fromkeys(missing)), optional_missing, tuple(secrets))

    def _value(self, declared: Input | None, variable: str) -> Secret | None:
        if (value := self._settings.secret(variable)) is not None:
            return value
        if declared is not None and declared.default:
            return Secret(declared.default)
        return None

    def missing_text(self, variables: Iterable[str]) -> str:
        """What to do about variables that are not set: "set A and B", or why A has no value."""
        names = list(dict.fromkeys(variables))
        problems = [problem for name in names if (problem := self._settings.problem(name))]
        return "; ".join(problems) if problems else f"set {' and '.join(names)}"

    def secret_variables(self, templates: Iterable[str]) -> str:
        """The variables that hold the secrets in these templates, for people."""
        names = [name for template in templates for name in _VARIABLE.findall(template)]
        declared = [self._declared.get(name) for name in names]
        return " and ".join(
            one.env or name for name, one in zip(names, declared, strict=True) if one and one.secret
        )

    def request(
        self,
        id: str,
        method: str,
        url: str,
        headers: Mapping[str, str],
        timeout_s: float,
        *,
        query: Mapping[str, str] | None = None,
    ) -> tuple[HttpCheck | None, tuple[str, ...]]:
        """The request with its inputs in place, or None and the variables that are missing."""
        address = self.fill(url, in_url=True)
        missing = list(address.missing)
        secrets = list(address.secrets)
        filled: list[tuple[str, Secret]] = []
        for name, template in headers.items():
            header = self.fill(template, in_url=False)
            missing += header.missing
            secrets += header.secrets
            if not header.optional_missing:
                filled.append((name, Secret(header.text)))
        asked: list[tuple[str, str]] = []
        for name, template in (query or {}).items():
            value = self.fill(template, in_url=False)
            missing += value.missing
            secrets += value.secrets
            if not value.optional_missing:
                asked.append((name, value.text))
        if missing:
            return None, tuple(dict.fromkeys(missing))
        full = (
            f"{address.text}{'&' if '?' in address.text else '?'}{urlencode(asked)}"
            if asked
            else address.text
        )
        check = HttpCheck(id, method, Secret(full), timeout_s, tuple(filled), hidden=tuple(secrets))
        return check, ()


def _probe(spec: HealthCheck, inputs: _Inputs) -> ProbePlan:
    timeout_s = min(spec.timeout_s, spec.every_s * _TIMEOUT_SHARE)
    check, missing = inputs.request(spec.id, spec.method, spec.url, spec.headers, timeout_s)
    if check is None:
        unknown = inputs.missing_text(missing)
        return ProbePlan(spec.id, spec.title, spec.every_s, None, unknown, missing)
    check = replace(check, expect_status=spec.expect_status)
    if spec.healthy:
        check = replace(check, max_body=MAX_JSON)
    return ProbePlan(spec.id, spec.title, spec.every_s, check, healthy=spec.healthy or "")


def _metric(
    spec: MetricSpec,
    probes: tuple[ProbePlan, ...],
    inputs: _Inputs,
    settings: Settings,
    database_unknown: str,
) -> MetricPlan:
    source = spec.source
    if source.kind in {"probe", "error_rate"}:
        return _from_probes(spec, probes)
    if source.kind == "postgres":
        rule = _rule(spec, "sql")
        return MetricPlan(rule, source.aggregate, source.window_s, sql=source.query, unknown=database_unknown)
    if source.kind == "stripe":
        key = settings.secret(STRIPE_VARIABLE)
        mode = mode_of(key.reveal()) if key else ""
        text = " ".join(filter(None, ("stripe", mode)))
        # Stripe counts the window itself: what it answers is the aggregate.
        return MetricPlan(
            _rule(spec, f"{text} · {_span(source.window_s)}"),
            "last",
            source.window_s,
            payments=True,
            unknown="" if key else inputs.missing_text([STRIPE_VARIABLE]),
        )
    url, select = source.url or "", source.select or ""
    if source.kind == "prometheus":
        query = urlencode({"query": source.query or ""})
        url, select = f"{url.rstrip('/')}/api/v1/query?{query}", PROMETHEUS
    timeout_s = min(_JSON_TIMEOUT_S, spec.every_s * _TIMEOUT_SHARE)
    request, missing = inputs.request(spec.id, "GET", url, source.headers, timeout_s)
    return MetricPlan(
        _rule(spec, "http" if source.kind == "http_json" else "prometheus"),
        source.aggregate,
        source.window_s,
        request=request,
        select=select,
        unknown=inputs.missing_text(missing) if missing else "",
    )


def _from_probes(spec: MetricSpec, probes: tuple[ProbePlan, ...]) -> MetricPlan:
    source = spec.source
    failed = source.kind == "error_rate"
    wanted = [probe for probe in probes if not source.probes or probe.id in source.probes]
    running = [probe for probe in wanted if probe.check is not None]
    if failed:
        text = f"failed of {len(running)} probes · {_span(source.window_s)}"
        every_s = spec.every_s
    else:
        timing = " · server time" if source.take == "server_time" else ""
        text = f"probe {', '.join(p.id for p in wanted)}{timing}"
        text += f" · {source.aggregate} {_span(source.window_s)}"
        # It gets a sample when its probe does, whatever it says of itself.
        every_s = max([spec.every_s, *(probe.every_s for probe in running)])
    unknown = ""
    if not running:
        unknown = "; ".join(dict.fromkeys(p.unknown for p in wanted)) or "it names no probe"
    return MetricPlan(
        _rule(spec, text, every_s),
        source.aggregate,
        source.window_s,
        probes=frozenset(probe.id for probe in running),
        measure="failed" if failed else source.take,
        unknown=unknown,
    )


def _rule(spec: MetricSpec, source: str, every_s: float | None = None) -> MetricRule:
    return MetricRule(
        id=spec.id,
        title=spec.title,
        short=spec.short,
        unit=spec.unit,
        decimals=spec.decimals,
        normal=spec.normal,
        alert=spec.alert,
        every_s=every_s or spec.every_s,
        source=source,
        percentile=spec.source.aggregate == "p95",
    )


def _stripe(runbook: Runbook, settings: Settings, inputs: _Inputs) -> StripePlan:
    key = settings.secret(STRIPE_VARIABLE)
    windows = [spec.source.window_s for spec in runbook.metrics if spec.source.kind == "stripe"]
    url = inputs.fill("${STRIPE_API_URL}", in_url=True).text or STRIPE_URL
    unknown = "" if key else inputs.missing_text([STRIPE_VARIABLE])
    return StripePlan(key, url, max(windows, default=3600.0), unknown)


def _vendors(runbook: Runbook, inputs: _Inputs, configured: bool) -> tuple[VendorPlan, ...]:
    """Where nothing of our own is configured, nothing is asked of anyone."""
    plans = []
    for vendor in runbook.vendors:
        check, missing = inputs.request(f"vendor:{vendor.id}", "GET", vendor.url, {}, vendor.timeout_s)
        unknown = (
            inputs.missing_text(missing) if missing else "" if configured else "nothing is configured yet"
        )
        check = replace(check, max_body=MAX_JSON) if check is not None and configured else None
        plans.append(VendorPlan(vendor.id, vendor.title, vendor.format, vendor.every_s, check, unknown))
    return tuple(plans)


def _deployments(runbook: Runbook, inputs: _Inputs) -> DeploymentsPlan | None:
    spec = runbook.deployments
    if spec is None:
        return None

    def ask(call: HttpCall) -> tuple[HttpCheck | None, tuple[str, ...]]:
        check, missing = inputs.request(
            "deployments", call.method, call.url, call.headers, spec.timeout_s, query=call.query
        )
        return (replace(check, max_body=MAX_JSON) if check is not None else None), missing

    recent, missing = ask(spec.recent)
    serving = ask(spec.serving)[0] if spec.serving is not None else None
    return DeploymentsPlan(
        recent,
        spec.rows,
        serving,
        spec.serves,
        spec.every_s,
        spec.page or "the deployment API",
        inputs.secret_variables(spec.recent.headers.values()),
        inputs.missing_text(missing) if missing else "",
    )


def _link(runbook: Runbook, settings: Settings) -> LinkPlan:
    check = runbook.link_check
    given = settings.get(LINK_VARIABLE)
    targets, problem = parse_targets(given.split(",") if given else check.targets)
    if not targets:
        problem = f"{LINK_VARIABLE}: {problem}" if problem else f"set {LINK_VARIABLE}"
    timeout_s = min(check.timeout_s, check.every_s * _TIMEOUT_SHARE)
    return LinkPlan(targets, check.every_s, timeout_s, problem)


def _span(seconds: float) -> str:
    if seconds >= 3600 and seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds > 60 and seconds % 60 == 0 else f"{seconds:g} s"
