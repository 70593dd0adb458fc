"""Vendors' API answers as data, read tolerantly: what is missing is empty, and nothing raises. Pure.

`vercel` has deployments and what serves production. Both the monitor, which watches them, and the steps,
which change them, are above this package. Imports `text` alone.
"""
