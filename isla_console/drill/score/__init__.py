"""How a drill went.

`record` is the file that is kept of it, `scoring` judges it by that record and the journal, and `report`
writes one drill in full and compares several.

Imports `scenario`, `incident`, `journal` and `text`, never the platform. Begin with `record`.
"""
