"""
.. include:: estimators.md
"""
