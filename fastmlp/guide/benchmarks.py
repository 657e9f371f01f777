"""
.. include:: benchmarks.md
"""
