"""The shipped runbook, loaded once."""

import pytest

from isla_console.resources import resource
from isla_console.runbook.load import Loaded, load_runbook


@pytest.fixture(scope="session")
def shipped() -> Loaded:
    """What `isla-console` opens when nothing else is asked for."""
    return load_runbook(resource("runbook.yaml"))
