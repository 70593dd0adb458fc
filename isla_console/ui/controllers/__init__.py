"""What a person does: each command of the registry, carried out.

`base` has `Controller`, which names its commands and kinds of row, and `Console`, through which it asks, says
and records. There is one controller for each area. A controller asks on a sheet, lets the session or the
incident's commands check the answer, and records the events; what is refused is said with its reason, and
nothing is written.

Imports everything of `ui` below it and `session`. Begin with `base`, then `ladder`.
"""
