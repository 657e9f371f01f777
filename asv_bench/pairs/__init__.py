"""Two builds of fastmlp, timed side by side: what `gate.py` is made of.

`builds` makes the environments, `selection` picks asv's benchmarks, `timing` runs them in pairs of processes, `counts`
counts instructions, `verdict` judges, `report` writes it down.
"""
