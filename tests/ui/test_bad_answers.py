"""Bad answers, all the way: a real service that misbehaves, the real poller, the sentence on the screen."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from isla_console.drill.platform.services.status_pages import status_service
from isla_console.drill.platform.services.stripe_account import StripeAccount
from isla_console.drill.platform.services.stripe_api import new_key, stripe_service
from isla_console.drill.platform.services.vercel import PROJECT, TEAM, Deployments, new_token, vercel_service
from isla_console.drill.scenario import model as scenario
from isla_console.drill.scenario.faults import Faults, VendorTrouble
from isla_console.drill.scenario.runner import ScenarioRunner
from isla_console.monitor import poller
from isla_console.monitor.stripe.client import StripeReader
from isla_console.resources import resource
from isla_console.settings.resolve import Settings
from tests.support.asgi import served
from tests.support.console import console_app
from tests.support.faulty import Faulty
from tests.support.pilot import settle
from tests.support.waiting import until
from tests.ui.test_command import press
from tests.ui.test_triage import page

SLOW_S = 2
"""What a timeout is set to for those that are slow; ten seconds in the shipped runbook."""
HTML = {"status": 200, "body": b"<html>Sign in to the proxy</html>", "headers": {"Content-Type": "text/html"}}
LIMITED = {"status": 429, "body": b'{"error": {"message": "slow down"}}'}
LATER = LIMITED | {"headers": {"Retry-After": "7", "Content-Type": "application/json"}}


Upsets = Mapping[str, Any]
# Where it is read, what the service does instead, the sentence.
CASES: dict[str, tuple[str, Upsets, str]] = {
    "stripe 401": (
        "P",
        {"key": "rk_test_wrong0000000000"},
        "Stripe refuses the key (401): look at STRIPE_API",
    ),
    "stripe 403": ("P", {"lacks": "events"}, "the key lacks the permission rak_event_read (403)"),
    "stripe 429": ("P", {"rate_per_s": 0}, "Stripe limits us (429, global-rate): again in "),
    "stripe 429 with Retry-After": ("P", LATER, "Stripe limits us (429): again in "),
    "stripe 500": ("P", {"status": 500}, "Stripe is in trouble itself (500)"),
    "stripe HTML": ("P", HTML, "what answers as Stripe sends no JSON: a proxy or a wrong address?"),
    "stripe slow": ("P", {"wait_s": 30.0}, f"Stripe did not answer within {SLOW_S} s"),
    "stripe clock": ("P", {"minutes": 5}, "our clock is 5 min behind Stripe's: times are corrected"),
    "stripe empty": ("P", {"quiet": True}, "not enough data: no attempt in 1 h"),
    "vercel 401": ("D", {"status": 401}, "401, it does not accept our token: look at VERCEL_TOKEN"),
    "vercel 403": ("D", {"token": "vcp_wrong"}, "403, the token may not read this: look at VERCEL_TOKEN"),
    "vercel 429": ("D", LIMITED, "429, we asked too often: again in 1 min"),
    "vercel 429 with Retry-After": ("D", LATER, "429, we asked too often: again in 7 s, as it asks"),
    "vercel 500": ("D", {"status": 500}, "500, it is in trouble itself"),
    "vercel HTML": ("D", HTML, "answered with a web page, not with data"),
    "vercel slow": ("D", {"wait_s": 30.0}, f"timed out after {SLOW_S} s waiting for the answer"),
    "vercel clock": ("D", {"minutes": -5}, "our clock is 5 min ahead of Vercel's: times are corrected"),
    "vercel shape": ("D", {"status": 200, "body": b'{"deployments": "none"}'}, "changed its shape"),
    "pages 401": ("h", {"status": 401}, "401, it does not accept our token"),
    "pages 403": ("h", {"status": 403}, "403, the token may not read this"),
    "pages 429": ("h", LIMITED, "429, we asked too often: again in 1 min"),
    "pages 429 with Retry-After": ("h", LATER, "429, we asked too often: again in 7 s, as it asks"),
    "pages 500": ("h", {"status": 500}, "500, it is in trouble itself"),
    "pages HTML": ("h", {"page": "unreadable"}, "answered with a web page, not with data"),
    "pages slow": ("h", {"wait_s": 30.0}, f"timed out after {SLOW_S} s waiting for the answer"),
    "pages shape": ("h", {"status": 200, "body": b'{"page": {"state": "fine"}}'}, "changed its shape"),
}


@asynccontextmanager
async def outside(service: str, faulty: Upsets) -> AsyncIterator[dict[str, str]]:
    """The three services, one of them faulty; the variables that lead to them."""
    faults, rng = Faults(), random.Random(1)
    key, token = new_key(), new_token()
    account = StripeAccount(faults, rng, quiet=bool(faulty.get("quiet")))
    runner = ScenarioRunner(scenario.load("redirect-down"), faults, _now, healthy_s=None, by_hand=True)
    lacks = frozenset(filter(None, [faulty.get("lacks")]))
    if page := faulty.get("page"):
        faults.replace([VendorTrouble(vendor="vercel", state=page)])
    services: dict[str, Any] = {
        "stripe": stripe_service(account, key, lacks=lacks, rate_per_s=faulty.get("rate_per_s", 25)),
        "vercel": vercel_service(Deployments(runner.observe, now=_now), faults, rng, token),
        "pages": status_service(faults),
    }
    known = {"status", "body", "headers", "wait_s", "minutes"}
    how = {name: value for name, value in faulty.items() if name in known}
    services[service] = Faulty(services[service], **how)
    async with AsyncExitStack() as stack:
        urls = {
            name: await stack.enter_async_context(
                served(one, dated=not (name == service and faulty.get("minutes")))
            )
            for name, one in services.items()
        }
        yield {
            "STRIPE_API_KEY": faulty.get("key", key),
            "ISLA_STRIPE_API_URL": urls["stripe"],
            "ISLA_VERCEL_API_URL": urls["vercel"],
            "VERCEL_TOKEN": faulty.get("token", token),
            "VERCEL_PROJECT_ID": PROJECT,
            "VERCEL_ORG_ID": TEAM,
            # Vendors are asked where something of our own is.
            "ISLA_APP_URL": urls["pages"],
            **{
                f"ISLA_{vendor.upper()}_STATUS_URL": f"{urls['pages']}/{vendor}"
                for vendor in ("vercel", "supabase", "stripe")
            },
        }


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> Path:
    """The shipped runbook, that soon gives up those outside who are slow."""
    document = yaml.load(resource("runbook.yaml").read_text(), yaml.CSafeLoader)
    monkeypatch.setattr(poller, "STAGGER_S", 0.01)
    if case.endswith(" slow"):
        for one in [*document["vendors"], document["deployments"]]:
            one["timeout_s"] = SLOW_S
        monkeypatch.setitem(StripeReader.__init__.__kwdefaults__ or {}, "timeout_s", SLOW_S)
    path = tmp_path / "runbook.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    return path


@pytest.mark.parametrize("case", CASES)
async def test_each_bad_answer_is_a_sentence_on_the_screen(
    tmp_path: Path, impatient: Path, case: str
) -> None:
    key, faulty, sentence = CASES[case]
    async with outside(case.partition(" ")[0], faulty) as variables:
        home = {"HOME": str(tmp_path), "ISLA_RUNBOOK": str(impatient), "ISLA_LINK_CHECK": "127.0.0.1:9"}
        app = console_app(Settings.load({**home, **variables}))
        async with app.run_test(size=(160, 60)) as pilot:
            await settle(pilot)
            await press(pilot, key)
            await until(lambda: sentence in page(app))
