"""
.. include:: exchange.md
"""
