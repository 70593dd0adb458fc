"""Where events last."""
