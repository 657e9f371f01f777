"""Conversion to and from networks of other libraries, with one file for each direction and library."""
