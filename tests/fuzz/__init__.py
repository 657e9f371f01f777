"""Fuzzing: random cases are compared with the float64 twins, and damaged files are read by the readers."""
