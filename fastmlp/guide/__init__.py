"""The pages of the guide.

- `fastmlp.guide.coming_from`: the same training in their words and in fastmlp's, a map of names
- `fastmlp.guide.training`: layers, losses, optimizers, schedules, callbacks, what Ctrl-C does
- `fastmlp.guide.estimators`: what they add to scikit-learn's, and what differs
- `fastmlp.guide.bfloat16`: what is rounded, which CPUs gain by it, accuracy, speed
- `fastmlp.guide.data`: MNIST, and which files are read
- `fastmlp.guide.scaling`: a run that survives its process
- `fastmlp.guide.exchange`: ONNX, PyTorch and scikit-learn
- `fastmlp.guide.command_line`: every command, with examples
- `fastmlp.guide.security`: what a file can execute, where compiled code lies, what a wheel holds, how to report
- `fastmlp.guide.speed`: Adam, bfloat16, the estimators, time to 98 % on MNIST, the first training after an installation
- `fastmlp.guide.results`: the three experiments beside the report's numbers
- `fastmlp.guide.developing`: the package file by file, debugging, other CPUs, the cache, the reference
- `fastmlp.guide.benchmarks`: asv, the gate, the workflows, the side-by-side scripts
"""
