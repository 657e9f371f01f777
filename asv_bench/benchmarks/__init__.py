"""Benchmarks for asv: a file for each kernel family, with the stem of the kernel's file, and for each other subject.

``setup`` compiles the kernels and touches every page of memory. A ``time_`` benchmark returns the arrays that it has
filled. asv ignores them, and a test checks them. All data are made from fixed seeds. asv regards a rise of a figure as
a regression, so the error is tracked and not the accuracy. For GFLOP/s, the share of the peak and the ratio to other
libraries, a higher figure is better: asv.conf.json exempts these benchmarks.
"""

import sys
from pathlib import Path

# asv imports this folder by its path; the path must also contain `peers`, which compare.py and `libraries` use
BESIDE = str(Path(__file__).parents[1])
if BESIDE not in sys.path:
    sys.path.append(BESIDE)
