"""isla-console: a full-screen terminal console for running a production incident."""

from __future__ import annotations

__version__ = "0.1.0"
