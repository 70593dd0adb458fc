"""Watching production: what is measured, how it is asked for, and what is known of it at a moment.

- `monitor`: what the session sees of it: `Snapshot`, `Transition` and the `Monitor` protocol.
- `poller`: the loop that asks every source again and again.
- `table`: which class makes which kind of source.
- `sources/`: one class a kind of source.
- `metrics/`: from measurements to a state. Pure.
- `http/`, `stripe/`: how sources ask over HTTP, and how they ask Stripe.
- `link`: whether our own network link is down.
- `cron`: which of pg_cron's jobs fails or is late. Pure.

Imports `runbook`, `vendors`, `database`, `net`, `text` and `settings`; knows neither an incident nor `steps`
and `sql`. Begin with `monitor`, then `sources/source.py`.
"""
