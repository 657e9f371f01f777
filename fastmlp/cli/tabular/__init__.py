"""``fastmlp train``, ``predict`` and ``info`` for tables as people have them.

`reading` has the table and its target, `task` decides between classes and numbers, `columns` says what was made of the
columns. `training` trains, saves and reports, `prediction` appends columns to a table, `contents` says what a model
holds.
"""
