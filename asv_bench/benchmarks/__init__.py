"""Benchmarks for asv: a file for each kernel family with the stem of the kernel's file, and one for each other subject.

``setup`` compiles and touches every page. A ``time_`` benchmark returns the arrays that it filled, which asv ignores
and a test looks at. All data is seeded. asv takes a rise for a regression, so that accuracy is tracked as the error;
of GFLOP/s, the share of the peak and the ratio to other libraries more is better: asv.conf.json exempts them.
"""

import sys
from pathlib import Path

# asv imports this folder by its path and finds nothing beside it: `peers`, which compare.py shares with `libraries`
BESIDE = str(Path(__file__).parents[1])
if BESIDE not in sys.path:
    sys.path.append(BESIDE)
