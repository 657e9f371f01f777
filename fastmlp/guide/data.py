"""
.. include:: data.md
"""
