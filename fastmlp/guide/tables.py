"""
.. include:: tables.md
"""
