"""
.. include:: developing.md
"""
