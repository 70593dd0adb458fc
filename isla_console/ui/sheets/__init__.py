"""Sheets: modal screens that ask or show one thing, and what they ask in each case.

`ask` is the sheet of questions that most others are made of; `guard` confirms a step, `detail` shows a row in
full, `search` and `help` are what they say. `incident`, `command`, `sql` and `steps` make the questions of
one area each: functions from the state to a sheet, which hands back answers and changes nothing.

Imports `session` for its data, `views/` and `widgets/`. Begin with `ask`.
"""
