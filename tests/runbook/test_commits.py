"""Whose commit a deployment is, wherever the repository is hosted: in every place that shows deployments."""

import jmespath
import pytest

from isla_console.runbook.load import Loaded
from isla_console.vendors.vercel import production

HOSTS = ("github", "gitlab", "bitbucket", "git")


@pytest.mark.parametrize("host", HOSTS)
def test_commit_and_message_are_found(shipped: Loaded, host: str) -> None:
    meta = {f"{host}CommitSha": "9f31c0a", f"{host}CommitMessage": "cache", f"{host}CommitAuthorName": "ana"}
    one = {"uid": "dpl_1", "id": "dpl_1", "readyState": "READY", "meta": meta}
    answer = {"deployments": [one], "targets": {"production": one}, "lastAliasRequest": None}
    runbook = shipped.runbook
    assert runbook.deployments is not None
    tables = [runbook.deployments.rows]
    tables += [step.table for step in runbook.all_steps() if step.table and "commit:" in step.table]
    assert len(tables) == 5
    for table in tables:
        [row] = jmespath.search(table, answer)
        assert (row["commit"], row["message"]) == ("9f31c0a", "cache"), table
    assert jmespath.search(tables[0], answer)[0]["author"] == "ana"
    current = production(answer).current
    assert current is not None
    assert (current.commit, current.message, current.author) == ("9f31c0a", "cache", "ana")
