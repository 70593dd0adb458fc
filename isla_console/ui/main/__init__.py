"""The main screen: bar, banner, panels, sidebar, the page in the middle, side column and footer.

`screen` is the screen, with a plan of its parts; `pages` says which page shows what, `registry` finds the
pages that are widgets, `panels` and `footer` are parts of the screen.

Draws the newest `ConsoleState` and decides nothing. Imports `pages/`, `views/` and `widgets/`. Begin with
`screen`.
"""
