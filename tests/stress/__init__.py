"""Stress: thousands of short trainings while everything around them goes wrong, each with the bits of a quiet one."""
