"""Stripe by its own SDK: payments and what failed about them, and subscriptions compared with ours."""
