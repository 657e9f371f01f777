"""
.. include:: training.md
"""
