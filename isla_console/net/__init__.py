"""The network: a socket and a stopwatch, for whoever measures or calls something over it.

`lookup` turns names into addresses, `race` connects to the first that answers, `stream` is one timed HTTP
exchange, `failures` puts what went wrong into words, and `rate_limit` spaces requests out.

Knows neither runbook nor settings. Imports `isla_console.text` alone. Begin with `stream`.
"""
