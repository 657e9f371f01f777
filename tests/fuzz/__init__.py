"""Fuzzing: random cases against the float64 twins, damaged files against the readers."""
