"""With our own link cut, really: blind, nothing ranked, nothing called down."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _can_cut() -> bool:
    if not shutil.which("unshare") or not shutil.which("ip"):
        return False
    wire = "ip link add isla0 type veth peer name isla1"
    return (
        subprocess.run(["unshare", "--net", "sh", "-c", wire], capture_output=True, check=False).returncode
        == 0
    )


@pytest.mark.slow
@pytest.mark.skipif(not _can_cut(), reason="needs unshare, ip and the right to make a network namespace")
def test_with_our_own_link_cut_nothing_is_ranked_and_nothing_called_down(tmp_path: Path) -> None:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "tests.support.cut_link", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["calm"].values()) == {"ok"}
    assert found["links"] == ["ok", "blind", "ok"]
    assert "our own link is down" in found["silent"]
    assert set(found["dark"].values()) == {"blind"}
    assert (found["before"], found["cut"], found["after"]) == ([], [], [])
    assert found["announced"] == [["link", "link", "blind"]]
