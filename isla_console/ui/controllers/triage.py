"""Triage: the likeliest issue, the deployments, the payments."""

from __future__ import annotations

from collections.abc import Mapping

from isla_console.session.compare import compare_subscriptions
from isla_console.ui.controllers.base import Controller, Handler
from isla_console.ui.views import outside
from isla_console.ui.views.deployments import deployment_lines
from isla_console.ui.views.drift import summary

COMPARING = "drift"
"""The group of the worker that compares subscriptions, which runs in the background and can be stopped."""


class TriageController(Controller):
    """Opens the likeliest issue, and rows about deployments, payments and subscriptions."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"likeliest": self.open_likeliest}

    @property
    def rows(self) -> Mapping[str, Handler]:
        return {
            "deployment": self.show_deployment,
            "vendor": lambda id: self._show(outside.vendor(id, self.console.state)),
            "payment": lambda id: self._show(outside.payment(id, self.console.state)),
            "endpoint": lambda id: self._show(outside.endpoint(id, self.console.state)),
            "subscription": lambda id: self._show(outside.subscription(id, self.console.state)),
            "differences": lambda id: self._show(outside.differing(self.console.state)),
            "undelivered": self.open_retry,
            "drift": self.start_comparing,
        }

    def open_likeliest(self, key: str) -> None:
        """Open the issue that the evidence points to."""
        state = self.console.state
        first = state.triage.first
        if first is None:
            silent = state.triage.silent or "Nothing points to an issue: all that is measured is well."
            self.console.say(silent)
            return
        self.console.go(f"issue:{first.issue}")

    def show_deployment(self, id: str) -> None:
        """Show a deployment in full."""
        state = self.console.state
        reading = state.snapshot.deployments if state.snapshot is not None else None
        found = next((one for one in reading.rows if one.id == id), None) if reading is not None else None
        if found is not None:
            self.console.show(found.id, deployment_lines(found, state))

    def _show(self, shown: outside.Shown | None) -> None:
        if shown is not None:
            self.console.show(*shown)

    def open_retry(self, id: str) -> None:
        """Open the step that delivers an event again, which asks before it does."""
        state = self.console.state
        for issue in state.runbook.issues:
            for step in issue.steps():
                if step.http is not None and step.http.url.endswith("/retry"):
                    self.console.go(f"issue:{issue.id}#step:{step.id}")
                    return
        self.console.say("The runbook has no step that delivers an event again.")

    def start_comparing(self, id: str) -> None:
        """Compare the database's subscriptions with Stripe's, the newest or `all`, whatever page is open."""
        self.console.begin(self._compare(every=id == "all"), group=COMPARING)

    async def _compare(self, *, every: bool) -> None:
        found = await compare_subscriptions(self.session, every=every, redraw=self.console.refresh_state)
        if found is not None and self.console.main.page != "payments":
            self.console.say(f"Subscriptions: {found if isinstance(found, str) else summary(found)}")

    def stop_comparing(self) -> bool:
        """Stop the running comparison; return False when there is none."""
        if self.session.comparing is None:
            return False
        for worker in self.console.running(COMPARING):
            worker.cancel()
        return True
