"""Training on streams beside training in memory: data, limits of memory, the worker, the comparison of shuffles."""
