"""Watching production: what is measured, how it is asked, and what is known of it at a moment.

- `monitor`: what the session sees of it: `Snapshot`, `Transition`, and the `Monitor` protocol.
- `poller`: the loop that asks every source again and again.
- `table`: which class makes which kind of source.
- `sources/`: one class a kind of source.
- `metrics/`: from measurements to a state. Pure.
- `http/`, `stripe/`: how sources ask over HTTP, and Stripe.
- `link`: whether it is our own network link that is down.
"""
