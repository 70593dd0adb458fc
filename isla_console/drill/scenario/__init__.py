"""What goes wrong in a drill, as data, and how it unfolds: scenarios, faults, actions and the drill's log.

Nothing here knows how the platform makes a fault real.
"""
