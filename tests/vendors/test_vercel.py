"""Vercel's documented shapes, read with patience for what is missing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.vendors.vercel import (
    AliasChange,
    Deployment,
    Production,
    deployment,
    first_moment,
    production,
)

AT = datetime(2025, 11, 23, 14, 1, tzinfo=UTC)
PROJECT = {
    "id": "prj_1",
    "targets": {
        "production": {
            "id": "dpl_8xK2",
            "createdAt": 1763906460000,
            "readyState": "READY",
            "creator": {"username": "ana"},
            "meta": {"githubCommitSha": "9f31c0a0000", "githubCommitMessage": "cache:\n inline"},
        }
    },
    "lastAliasRequest": {
        "fromDeploymentId": "dpl_8xK2",
        "toDeploymentId": "dpl_5pQ9",
        "jobStatus": "in-progress",
        "type": "rollback",
    },
}


def test_what_serves() -> None:
    found = production(PROJECT)
    assert found.current == Deployment("dpl_8xK2", "READY", "9f31c0a0000", "ana", "cache: inline", AT)
    assert (found.change.to, found.change.status, found.change.is_over) == ("dpl_5pQ9", "in-progress", False)


@pytest.mark.parametrize("data", [None, [], "x", {}, {"targets": None}, {"targets": {"production": []}}])
def test_another_shape_is_nothing_known(data: Any) -> None:
    assert production(data) == Production(None, AliasChange())


@pytest.mark.parametrize(
    ("item", "live"),
    [
        ({"live_since": 1763906460000, "state": "READY"}, True),
        ({"live_since": 1763906460}, True),
        ({"live_since": "2025-11-23T14:01:00Z", "state": "ready"}, True),
        ({"live_since": [None, True, "2025-11-23T14:01:00"], "state": "READY"}, True),
        ({"live_since": 1763906460000, "state": "ERROR"}, False),
        ({"live_since": 1763906460000, "state": "READY", "staged": True}, False),
        ({"state": "READY"}, False),
    ],
)
def test_when_it_went_live_if_it_did(item: dict[str, Any], live: bool) -> None:
    found = deployment({"id": "dpl_1"} | item)
    assert found is not None
    assert found.live_since == (AT if live else None)


@pytest.mark.parametrize("item", [None, [], "dpl_1", {}, {"id": ""}, {"id": 7}, {"state": "READY"}])
def test_what_has_no_id_is_no_deployment(item: Any) -> None:
    assert deployment(item) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
def test_any_json_is_read_without_a_raise(one: Any, two: Any, three: Any) -> None:
    first_moment(one)
    found = deployment({"id": "dpl_1", "state": one, "created": two, "live_since": three, "message": one})
    assert found is not None
    assert found.id == "dpl_1"
    production({"targets": {"production": one}, "lastAliasRequest": two})
    production({"targets": {"production": {"id": "dpl_1", "meta": two, "creator": three}}})
