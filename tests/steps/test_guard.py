"""The guard raises what it sees, never lowers, and says why."""

import pytest

from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.runbook.model import Runbook
from isla_console.runbook.steps import Effect, Step
from isla_console.session.steps import sql_effect
from isla_console.steps.guard import ORDER, Circumstances, judge
from tests.steps.support import http_step, shell_step

FREE = Circumstances(in_incident=True, in_drill=False)


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    return load_runbook(resource("runbook.yaml")).runbook


@pytest.mark.parametrize(
    ("script", "effect"),
    [
        ("curl -fsS https://app.isla.link/api/health", "read"),
        ("curl -X POST https://x/y", "write"),
        ("curl -sXDELETE https://x/y", "destroy"),
        ("curl https://x/y -d @body", "write"),
        ("vercel ls isla --json", "read"),
        ("vercel logs --follow x", "stream"),
        ("vercel rollback status isla", "read"),
        ("vercel rollback app.isla.link", "destroy"),
        ("vercel --token x promote dpl_1", "destroy"),
        ("vercel redeploy dpl_1", "write"),
        ("supabase migration down --last 1", "destroy"),
        ("supabase db push", "write"),
        ("stripe trigger payment_intent.succeeded", "write"),
        ("stripe events list --limit 10", "read"),
        ("psql < backup.sql", "destroy"),
        ("psql -c 'select 1'", "read"),
        ('psql -c "DROP TABLE links"', "destroy"),
        ('psql -c "update links set a=1"', "write"),
        ("pg_restore --list x.dump", "read"),
        ("pg_restore -d isla x.dump", "destroy"),
        ("pg_dump -Fc -f x", "write"),
        ("rm -rf /tmp/x", "destroy"),
        ("echo x > /etc/motd", "write"),
        ("ls > /dev/null 2>&1", "read"),
        ("kubectl get pods", "read"),
        ("kubectl -n isla delete pod x", "destroy"),
        ("terraform apply", "destroy"),
        ("git push --force", "destroy"),
        ("curl https://x | sh", "write"),
        ("tail -n 5 -f /var/log/x", "stream"),
        ("dig isla.link", "read"),
        ("curl -sd x=1 https://x/y", "write"),
        ("curl -sF a=@b https://x/y", "write"),
        ("curl -sSfL -o /dev/null -D - https://x/y", "read"),
        ("wget -q --post-data=x https://x/y", "write"),
        ("find /tmp -name x -delete", "destroy"),
        ("find . -exec cat {} +", "destroy"),
        ("find . -name x", "read"),
        ("aws s3 rm s3://x --recursive", "destroy"),
        ("gcloud sql instances delete x", "destroy"),
        ("aws s3 ls", "read"),
        ("redis-cli -h x FLUSHALL", "destroy"),
        ("redis-cli info", "read"),
        ("python3 -c 'import os'", "write"),
        ("perl -ne 'print' x", "write"),
        ("node --version", "read"),
        ("rsync -a x y:", "write"),
    ],
)
def test_shell(script: str, effect: Effect) -> None:
    found = judge(shell_step(script), FREE, sql_effect)
    assert found.effect == effect
    assert bool(found.reasons) == (effect != "read")


@pytest.mark.parametrize(
    ("method", "url", "effect"),
    [
        ("GET", "https://x/y", "read"),
        ("HEAD", "https://x/y", "read"),
        ("POST", "https://x/y", "write"),
        ("PATCH", "https://x/y", "write"),
        ("DELETE", "https://x/y", "destroy"),
        ("POST", "https://oauth2.googleapis.com/tokeninfo", "read"),
        ("POST", "https://x/v1/projects/p/rollback/dpl_1", "destroy"),
        ("GET", "https://x/v1/projects/p/deployments/d/runtime-logs", "stream"),
        ("POST", "https://x/v1/refunds", "destroy"),
        ("GET", "https://x/v1/refunds", "read"),
        ("POST", "https://x/v1/subscriptions/sub_1/cancel", "destroy"),
        ("POST", "https://x/v1/projects/p/database/backups/restore-pitr", "destroy"),
        ("POST", "https://x/v1/projects/p/database/query", "destroy"),
        ("POST", "https://x/v1/projects/p/database/query/read-only", "read"),
    ],
)
def test_http(method: str, url: str, effect: Effect) -> None:
    assert judge(http_step(url, method), FREE, sql_effect).effect == effect


@pytest.mark.parametrize(
    ("statement", "is_read"),
    [
        ("SELECT count(*) FROM links", True),
        ("WITH gone AS (DELETE FROM links RETURNING *) SELECT * FROM gone", False),
        ("SELECT pg_terminate_backend(1)", False),
        ("VACUUM links", False),
        ("SELECT 1; DROP TABLE links", False),
        ("no sql at all", False),
    ],
)
def test_sql(statement: str, is_read: bool) -> None:
    step = Step(id="s", title="S", kind="sql", run=statement)
    found = judge(step, FREE, sql_effect)
    assert (found.effect == "read") is is_read
    assert found.is_guarded is not is_read


def test_a_header_that_changes_the_method() -> None:
    step = http_step("https://x/y", "POST", headers={"X-HTTP-Method-Override": "DELETE"})
    assert judge(step, FREE, sql_effect).effect == "destroy"


def test_never_lower_than_declared(runbook: Runbook) -> None:
    for step in runbook.all_steps():
        found = judge(step, FREE, sql_effect)
        assert ORDER.index(found.effect) >= ORDER.index(step.effect)
    declared = shell_step("true", effect="destroy")
    assert judge(declared, FREE, sql_effect).effect == "destroy"


def test_the_shipped_runbook_says_what_its_steps_do(runbook: Runbook) -> None:
    """No step that can be run has to be raised."""
    raised = {
        step.id
        for step in runbook.all_steps()
        if not step.blocked and step.kind != "sql" and judge(step, FREE, sql_effect).effect != step.effect
    }
    assert raised == set()


def test_refusals() -> None:
    destroy, write = shell_step("true", effect="destroy"), shell_step("true", effect="write")
    outside = Circumstances(in_incident=False, in_drill=False)
    assert "d declares one" in judge(destroy, outside, sql_effect).refused
    assert judge(write, outside, sql_effect).refused == ""
    unsaved = Circumstances(in_incident=True, in_drill=False, write_problem="disk full")
    assert "disk full" in judge(destroy, unsaved, sql_effect).refused
    blocked = shell_step("true", blocked="it lies", instead="look there")
    assert judge(blocked, FREE, sql_effect).refused == "blocked: it lies Instead: look there"
    drill = Circumstances(in_incident=True, in_drill=True)
    assert "real platform" in judge(shell_step("vercel ls"), drill, sql_effect).refused
    live = Circumstances(in_incident=True, in_drill=False, live_stripe_key=True)
    assert "live key" in judge(shell_step("stripe trigger x"), live, sql_effect).refused
