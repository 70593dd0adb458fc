"""One platform for all tests of a session that do not end it."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from isla_console.drill import client
from isla_console.drill.launch import Platform
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.runbook.model import Runbook
from tests.support.platform import running_platform


@pytest.fixture(scope="session")
def drill_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drill")


@pytest.fixture(scope="session")
def shared_platform(drill_folder: Path) -> Iterator[Platform]:
    with running_platform(drill_folder) as platform:
        yield platform


@pytest.fixture
def drill_platform(shared_platform: Platform) -> Platform:
    """A healthy platform, whatever the test before did to it."""
    assert asyncio.run(client.heal(shared_platform.control_url)).ok
    return shared_platform


@pytest.fixture
def warm_folder(drill_folder: Path, shared_platform: Platform, tmp_path: Path) -> Path:
    """A folder whose cache has a template already, as after a first drill."""
    cache = Path("cache/isla-console/drill")
    for template in (drill_folder / cache).glob("template-*"):
        shutil.copytree(template, tmp_path / cache / template.name)
    return tmp_path


@pytest.fixture(scope="session")
def runbook() -> Runbook:
    return load_runbook(resource("runbook.yaml")).runbook
