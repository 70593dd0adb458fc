"""Which issue is it: going to the likeliest, choosing another, comparing subscriptions."""

from collections.abc import Mapping

from textual import work

from isla_console.incident import commands as act
from isla_console.incident.events import Author, Event, event
from isla_console.monitor.postgres import DatabaseUnavailable
from isla_console.monitor.stripe import StripeUnavailable
from isla_console.ui.board import Board
from isla_console.ui.deeds.base import Deeds
from isla_console.ui.screens.detail import DetailScreen
from isla_console.ui.views import outside
from isla_console.ui.views.deployments import deployment_lines

_DATABASE_S = 10.0
_HAS = (
    "SELECT stripe_subscription_id AS id, status FROM subscriptions"
    " WHERE stripe_subscription_id = ANY($1::text[])"
)
_LIVING = (
    "SELECT stripe_subscription_id AS id, status FROM subscriptions"
    " WHERE status NOT IN ('canceled', 'incomplete_expired') LIMIT 20000"
)


class TriageDeeds(Deeds):
    """Deeds of the overview, the deployments and the payments."""

    def do_likeliest(self, key: str) -> None:
        """Open the issue that the evidence points to."""
        board = self.board
        first = board.triage.first
        if first is None:
            self.say(board.triage.silent or "Nothing points to an issue: all that is measured is well.")
            return
        self.go(f"issue:{first.issue}")

    @work(exit_on_error=False, group="deed")
    async def do_choose(self, key: str) -> None:
        """The open page's issue is the incident's: a person's choice wins over the ranking."""
        board = self.board
        kind, _, id = self.main.page.partition(":")
        if kind != "issue":
            self.say("Open the issue that it is, then choose it.")
            return
        incident = board.incident
        if incident is not None and incident.issue == id:
            self.say(f"It is {board.runbook.issue(id).title} already.")
            return
        text = choice_text(board, id)
        author, now = self.desk.author, self.clock.now()
        await self.attempt(lambda incident: act.decide(incident, text, author=author, now=now, issue=id))

    def row_look(self, target: str) -> None:
        self.go(target)

    def row_deployment(self, id: str) -> None:
        board = self.board
        reading = board.snapshot.deployments if board.snapshot is not None else None
        found = next((one for one in reading.rows if one.id == id), None) if reading is not None else None
        if found is not None:
            self.push_screen(DetailScreen(found.id, deployment_lines(found, board)))

    def row_vendor(self, id: str) -> None:
        self._show(outside.vendor(id, self.board))

    def row_payment(self, id: str) -> None:
        self._show(outside.payment(id, self.board))

    def row_endpoint(self, id: str) -> None:
        self._show(outside.endpoint(id, self.board))

    def row_subscription(self, id: str) -> None:
        self._show(outside.subscription(id, self.board))

    def _show(self, shown: outside.Shown | None) -> None:
        if shown is not None:
            self.push_screen(DetailScreen(*shown))

    def row_undelivered(self, id: str) -> None:
        """To the step that delivers an event again: it asks before it does."""
        board = self.board
        for issue in board.runbook.issues:
            for step in issue.steps():
                if step.http is not None and step.http.url.endswith("/retry"):
                    self.go(f"issue:{issue.id}#step:{step.id}")
                    return
        self.say("The runbook has no step that delivers an event again.")

    @work(exit_on_error=False, group="deed", exclusive=True)
    async def row_drift(self, id: str) -> None:
        """Compare the database's subscriptions with Stripe's, page by page."""
        desk, poller = self.desk, self.desk.poller
        if poller is None or desk.comparing:
            return
        if poller.stripe is None or poller.database is None:
            desk.drift = "set STRIPE_API_KEY and ISLA_DATABASE_URL to compare"
            self.refresh_board()
            return
        database = poller.database
        compared = 0

        async def rows_of(ids: list[str]) -> Mapping[str, str]:
            nonlocal compared
            rows = await database.rows(_HAS, ids, deadline_s=_DATABASE_S)
            compared += len(ids)
            desk.comparing = f"comparing … {compared:,} so far"
            self.refresh_board()
            return {str(row["id"]): str(row["status"]) for row in rows}

        async def others() -> Mapping[str, str]:
            rows = await database.rows(_LIVING, deadline_s=_DATABASE_S)
            return {str(row["id"]): str(row["status"]) for row in rows}

        desk.comparing = "comparing …"
        self.refresh_board()
        try:
            desk.drift = await poller.stripe.drift(rows_of, others)
        except StripeUnavailable as error:
            desk.drift = str(error)
        except DatabaseUnavailable as error:
            desk.drift = f"the database: {error}"
        finally:
            desk.comparing = ""
            self.refresh_board()


def choice_text(board: Board, issue: str) -> str:
    """The decision in words, with what the ranking said instead."""
    chosen = board.runbook.issue(issue)
    first = board.triage.first
    text = f"this is {chosen.number} {chosen.title}"
    if first is None or first.issue == issue:
        return text
    return f"{text}, not {first.number} {first.title} as proposed ({first.because})"[:900]


def decided_otherwise(board: Board, issue: str | None, declared: Event) -> list[Event]:
    """The event that says that another issue was declared than was proposed; nothing when it was not."""
    first = board.triage.first
    if first is None or first.issue == issue:
        return []
    if issue is None:
        text = f"declared without an issue; proposed was {first.number} {first.title} ({first.because})"[:900]
    else:
        text = choice_text(board, issue)
    who = Author(declared.actor, declared.host)
    return [
        event("decided", {"text": text}, incident=declared.incident, author=who, now=declared.recorded_at)
    ]
