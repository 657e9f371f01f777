"""
.. include:: results.md
"""
