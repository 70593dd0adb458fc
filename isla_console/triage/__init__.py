"""Which of the runbook's issues this is, and whose trouble it is: evidence in, ranked issues out.

`facts` is everything that is known at a moment, `ranking` adds up the signals of each issue, `check` names
what would best tell the likeliest two apart, and `blame` says whether it is our link, a vendor or us.

Pure: no I/O and no clock. It reads the runbook's models, an incident and the monitor's snapshot, and imports
them for their types alone. Begin with `facts`.
"""
