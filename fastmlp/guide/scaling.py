"""
.. include:: scaling.md
"""
