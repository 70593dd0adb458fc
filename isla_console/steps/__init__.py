"""Doing a step: inputs, guard, shell, HTTP, output, redaction. No screen in here."""
