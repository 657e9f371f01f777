"""
.. include:: command_line.md
"""
