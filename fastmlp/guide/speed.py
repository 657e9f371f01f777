"""
.. include:: speed.md
"""
