"""From samples to states: windows, bounds, hysteresis, staleness. Pure: no I/O, and time is an argument."""
