"""Rollbacks: which steps are one, what they leave to do, and the way back."""

import pytest

from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.steps import rollback
from tests.steps.support import http_step

RUNBOOK = load_runbook(resource("runbook.yaml")).runbook


def test_which_steps_are_rollbacks() -> None:
    found = {step.id: rollback.target_input(step) for step in RUNBOOK.all_steps()}
    assert {id: name for id, name in found.items() if name} == {
        "redirect-rollback": "ROLLBACK_TO",
        "rollback-vercel": "ROLLBACK_TO",
    }
    assert rollback.target_input(http_step("https://x/rollback/${A}")) == ""


def test_the_way_back() -> None:
    step = RUNBOOK.step("redirect-rollback")
    assert rollback.project_call(step).url == "${VERCEL_API_URL}/v9/projects/${VERCEL_PROJECT_ID}"
    undo = rollback.undo_step(step, "dpl_8xK2")
    assert undo.http is not None
    assert undo.http.url == "${VERCEL_API_URL}/v10/projects/${VERCEL_PROJECT_ID}/promote/dpl_8xK2"
    assert undo.http.headers == step.http.headers if step.http else False
    assert undo.effect == "destroy"
    with pytest.raises(ValueError, match="is no deployment"):
        rollback.undo_step(step, "../../evil")


def test_what_is_left_to_do() -> None:
    texts = " ".join(text for text, _ in rollback.follow_ups("dpl_5pQ9", "dpl_8xK2"))
    assert "environment variables" in texts
    assert "does not go live by itself" in texts
