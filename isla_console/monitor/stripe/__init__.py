"""Stripe, by its own SDK: payments and what failed of them, and its subscriptions compared with ours.

`client` asks, at a limited rate; `payments` is what it reads, as data; `drift` compares subscriptions.
Nothing here creates or changes anything. Begin with `payments`.
"""
