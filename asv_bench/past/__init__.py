"""Commits of the past beside other libraries: all of them train the same networks in turns, in one session.

`commits` chooses commits and unpacks them, `turns` times them, `results` writes what asv reads. `training` and `steps`
run in the process of a commit: an epoch of `fastmlp.train`, and the headline benchmark of the engine's steps.
"""

BATCH, NORM, THREADS = 128, "none", 2  # of the headline benchmark
