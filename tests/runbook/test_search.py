"""Words, commands and statements are found, and lead to where they stand."""

import pytest

from isla_console.runbook.load import Loaded
from isla_console.runbook.search import search


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("vercel rollback", "issue:redirect-down#step:redirect-rollback"),
        ("pg_terminate_backend", "issue:db-connections#step:db-end-session"),
        ("pg_cron_job_status", "issue:analytics#step:analytics-cron"),
        ("support@stripe.com", "contacts#contact:stripe-support"),
        ("ROLLBACKCANDIDATE", "issue:redirect-down#step:redirect-rollback-candidates"),
        ("magic links", "issue:auth-failing#symptom:auth-failing/auth-magic-links"),
        ("click lag", "home#metric:click-lag"),
        ("backup", "procedure:data-recovery#step:recovery-backup"),
        ("error handling", "issue:redirect-down#follow:redirect-down/redirect-error-handling"),
        ("api/webhooks/stripe/health", "home#probe:payment-webhook"),
        ("[what we did]", "home"),
        ("CEO", "contacts"),
        ("too many connections", "issue:db-connections#symptom:db-connections/db-too-many"),
    ],
)
def test_found_with_its_place(shipped: Loaded, words: str, target: str) -> None:
    assert target in [hit.target for hit in search(shipped.runbook, words)]


def test_titles_come_first(shipped: Loaded) -> None:
    hits = search(shipped.runbook, "payment processing")
    assert (hits[0].kind, hits[0].id) == ("issue", "payments")


def test_every_word_has_to_occur(shipped: Loaded) -> None:
    assert search(shipped.runbook, "vercel zebra") == []
    assert search(shipped.runbook, "   ") == []
    assert search(shipped.runbook, "ban(ana[*\\") == []


def test_words_may_stand_apart(shipped: Loaded) -> None:
    assert "db-vacuum" in [hit.id for hit in search(shipped.runbook, "analyze vacuum")]


def test_excerpt_shows_the_match_on_one_line(shipped: Loaded) -> None:
    for hit in search(shipped.runbook, "statement_timeout") + search(shipped.runbook, "pg_stat_activity"):
        assert "pg_stat_activity" in hit.excerpt
        assert "\n" not in hit.excerpt
        assert len(hit.excerpt) <= 92


def test_limit(shipped: Loaded) -> None:
    assert len(search(shipped.runbook, "e", limit=7)) == 7
