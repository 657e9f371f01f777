"""Benchmarks for asv: a file for each kernel family with the stem of the kernel's file, training, memory, start-up.

``setup`` compiles and touches every page. A ``time_`` benchmark returns the arrays that it filled, which asv ignores
and a test looks at. All data is seeded, and float32: float64 runs the same loops at half the width.
"""
