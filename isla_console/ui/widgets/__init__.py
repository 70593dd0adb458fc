"""The console's own Textual widgets, which know nothing of an incident.

`rows` is a list whose rows can be replaced under the reader's cursor, `text_block` shows lines and repaints
only the cells that changed.

Imports `ui.lines` and `ui.terminal`. Begin with `text_block`.
"""
