"""The parts of `gate.py`, which compares two builds of fastmlp.

`builds` makes the environments, `selection` chooses asv's benchmarks, `timing` times them in pairs of processes,
`counts` counts instructions, `verdict` judges, and `report` writes the report.
"""
