"""Pages that rows alone cannot make: each is a widget that draws the newest `ConsoleState`.

`base` says what the main screen expects of one; `communication`, `postmortem`, `sessions`, `sql` and
`streams` are the pages. What a page cannot do itself it asks for by a message of `ui/messages.py`.

Pages made of rows are in `ui/main/pages.py`. Imports `views/` and `widgets/`. Begin with `base`.
"""
