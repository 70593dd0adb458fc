"""Carrying out the runbook's steps: their inputs, what they may do, running them, what came of it.

`runner` runs steps and keeps their `outcome`. Before a run, `inputs` finds the values and `guard` judges the
effect; `shell` (with `environment` and `lifeline`) and `http` are the ways to run something, and what runs
SQL is passed in. `output` and `rows` hold what came back, bounded. `backup`, `dump` and `rollback` know the
steps that need more care.

Imports `runbook`, `vendors`, `database`, `text` and `settings`; asks no person anything. Begin with `runner`.
"""
