"""Vector primitives in LLVM IR: the one place that knows the CPU."""
