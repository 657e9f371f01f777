"""
.. include:: bfloat16.md
"""
