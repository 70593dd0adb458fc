"""isla-console: a full-screen terminal console for running a production incident."""

__version__ = "0.1.0"
