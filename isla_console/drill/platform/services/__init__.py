"""Stand-ins for every service that the console and the runbook ask, with their documented answers.

One module for each service. `simulated` gives a service of our own its latency and the errors of the faults
in force, `http` checks credentials, and `stripe_account` is the data behind `stripe_api`.

Imports `scenario` for its faults. Begin with `google`, the smallest.
"""
