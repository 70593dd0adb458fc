"""What is watched: one class for each kind of source, each with `ask`, `observe` and `reading`.

`source` says what the three do, `context` is what every source is made with. `metric` and `probe` are the
bases of most kinds; `vendors`, `deployments` and `payments` have readings of their own. A new kind of metric
source is one file here and one line in `table`.

Imports `http/`, `stripe/` and `metrics/`. Begin with `source`, then `http_json`.
"""
