"""What we did about it: events, their fold, and the rules of clocks, ladder and cadence.

All of it is pure: no clock is read, ``now`` (aware UTC) is an argument everywhere.
"""
