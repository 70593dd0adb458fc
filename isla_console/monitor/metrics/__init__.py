"""From samples to states. Pure: no I/O, and time is an argument.

`sample` is one measurement; `window` keeps those of the last minutes, `hysteresis` delays an alert, `metric`
makes a metric's state of them, and `pipeline` joins the three. `health` does the same for a probe.

Imports `text` alone. Begin with `sample`, then `metric`.
"""
