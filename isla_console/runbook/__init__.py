"""The runbook: what may stand in one, reading it, and finding what is wrong with it."""
