"""Stress: thousands of disturbed short trainings, each of which must have the bits of an undisturbed one."""
