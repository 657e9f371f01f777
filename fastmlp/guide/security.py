"""
.. include:: security.md
"""
