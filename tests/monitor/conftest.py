"""Real servers for the tests in this folder."""

from tests.support.servers import endpoints, postgres, prober

__all__ = ["endpoints", "postgres", "prober"]
