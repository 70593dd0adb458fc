"""Which issue is it: going to the likeliest, choosing another, comparing subscriptions."""

import asyncio
from contextlib import suppress

from textual import work

from isla_console.database.session import DatabaseUnavailable
from isla_console.incident import commands as act
from isla_console.incident.record.events import Author, Event, event
from isla_console.monitor.sources.drift import (
    PATIENCE,
    QUICK_PAGES,
    Comparison,
    OurDatabase,
    left_s,
    sentence,
)
from isla_console.monitor.sources.payments import Drift
from isla_console.monitor.sources.stripe import StripeUnavailable
from isla_console.session.state import ConsoleState
from isla_console.ui.controllers.base import COMPARING, Deeds
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.views import outside
from isla_console.ui.views.deployments import deployment_lines
from isla_console.ui.views.drift import progress, summary


class TriageDeeds(Deeds):
    """Deeds of the overview, the deployments and the payments."""

    def do_likeliest(self, key: str) -> None:
        """Open the issue that the evidence points to."""
        state = self.state
        first = state.triage.first
        if first is None:
            self.say(state.triage.silent or "Nothing points to an issue: all that is measured is well.")
            return
        self.go(f"issue:{first.issue}")

    @work(exit_on_error=False, group="deed")
    async def do_choose(self, key: str) -> None:
        """The open page's issue is the incident's: a person's choice wins over the ranking."""
        state = self.state
        kind, _, id = self.main.page.partition(":")
        if kind != "issue":
            self.say("Open the issue that it is, then choose it.")
            return
        incident = state.incident
        if incident is not None and incident.issue == id:
            self.say(f"It is {state.runbook.issue(id).title} already.")
            return
        text = choice_text(state, id)
        author, now = self.session.author, self.clock.now()
        await self.attempt(lambda incident: act.decide(incident, text, author=author, now=now, issue=id))

    def row_look(self, target: str) -> None:
        self.go(target)

    def row_deployment(self, id: str) -> None:
        state = self.state
        reading = state.snapshot.deployments if state.snapshot is not None else None
        found = next((one for one in reading.rows if one.id == id), None) if reading is not None else None
        if found is not None:
            self.push_screen(DetailScreen(found.id, deployment_lines(found, state)))

    def row_vendor(self, id: str) -> None:
        self._show(outside.vendor(id, self.state))

    def row_payment(self, id: str) -> None:
        self._show(outside.payment(id, self.state))

    def row_endpoint(self, id: str) -> None:
        self._show(outside.endpoint(id, self.state))

    def row_subscription(self, id: str) -> None:
        self._show(outside.subscription(id, self.state))

    def _show(self, shown: outside.Shown | None) -> None:
        if shown is not None:
            self.push_screen(DetailScreen(*shown))

    def row_undelivered(self, id: str) -> None:
        """To the step that delivers an event again: it asks before it does."""
        state = self.state
        for issue in state.runbook.issues:
            for step in issue.steps():
                if step.http is not None and step.http.url.endswith("/retry"):
                    self.go(f"issue:{issue.id}#step:{step.id}")
                    return
        self.say("The runbook has no step that delivers an event again.")

    def row_differences(self, id: str) -> None:
        self._show(outside.differing(self.state))

    @work(exit_on_error=False, group=COMPARING)
    async def row_drift(self, id: str) -> None:
        """Compare the database's subscriptions with Stripe's: the newest, or `all`. Pages may come and go."""
        session, poller = self.session, self.session.poller
        if poller is None or session.comparing:
            return
        if poller.stripe is None or poller.database is None:
            session.drift = "set STRIPE_API_KEY and ISLA_DATABASE_URL to compare"
            self.refresh_state()
            return
        all_of_them = id == "all"
        ours = OurDatabase(poller.database)
        comparison = Comparison(poller.stripe.subscriptions, ours, tries=PATIENCE if all_of_them else 1)
        expected: int | None = None
        began = asyncio.get_running_loop().time()

        def told() -> None:
            read = comparison.read
            if all_of_them:
                left = left_s(read, expected, asyncio.get_running_loop().time() - began)
                session.comparing = progress(read, left, expected, waits=comparison.waits)
            else:
                session.comparing = f"comparing … {read:,} so far"
            self.refresh_state()

        comparison.on_progress = told
        told()
        try:
            if all_of_them:
                # Without it there is no telling how long; that is said, and no reason not to compare.
                with suppress(DatabaseUnavailable):
                    expected = await ours.count()
            await comparison.run(None if all_of_them else QUICK_PAGES)
            session.drift = comparison.found(self.clock.now())
        except (StripeUnavailable, DatabaseUnavailable) as error:
            session.drift = self._cut_short(comparison, sentence(error))
        except asyncio.CancelledError:
            session.drift = self._cut_short(comparison, "stopped by hand")
            raise
        finally:
            session.comparing = ""
            if self.is_running:
                self.refresh_state()
        if self.main.page != "payments":
            found = session.drift
            self.say(f"Subscriptions: {found if isinstance(found, str) else summary(found)}")

    def _cut_short(self, comparison: Comparison, why: str) -> Drift | str:
        """What a comparison found that did not come to its end."""
        return comparison.found(self.clock.now(), why) if comparison.read else why


def choice_text(state: ConsoleState, issue: str) -> str:
    """The decision in words, with what the ranking said instead."""
    chosen = state.runbook.issue(issue)
    first = state.triage.first
    text = f"this is {chosen.number} {chosen.title}"
    if first is None or first.issue == issue:
        return text
    return f"{text}, not {first.number} {first.title} as proposed ({first.because})"[:900]


def decided_otherwise(state: ConsoleState, issue: str | None, declared: Event) -> list[Event]:
    """The event that says that another issue was declared than was proposed; nothing when it was not."""
    first = state.triage.first
    if first is None or first.issue == issue:
        return []
    if issue is None:
        text = f"declared without an issue; proposed was {first.number} {first.title} ({first.because})"[:900]
    else:
        text = choice_text(state, issue)
    who = Author(declared.actor, declared.host)
    return [
        event("decided", {"text": text}, incident=declared.incident, author=who, now=declared.recorded_at)
    ]
