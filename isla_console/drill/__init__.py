"""Drills: an outage rehearsed on a platform of its own, on this machine, and scored.

From the bottom up: `scenario` says how an outage unfolds, `score` judges what the engineer did about it,
`platform` runs a real PostgreSQL and stand-ins for every service in a process of its own, `launch` starts
that process, and `run` is the command. Everything else in the console imports `client` alone.

Imports `incident`, `journal`, `runbook`, `settings` and `text`. Begin with `client`, then `scenario/model`.
"""
