"""The views: pure functions from a `ConsoleState` and a width to the lines that are drawn.

One module for each page, and `bar`, `side`, `sidebar` and `panels` for what surrounds it; `detail` and
`outside` show a row in full, `describe` puts an event into words. A view holds no widget, asks nothing and
changes nothing.

Imports the domain, `ui.theme` and the lines that widgets draw. Begin with `home`.
"""
