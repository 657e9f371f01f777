"""The pages of the guide.

- `fastmlp.guide.coming_from`: the same training in scikit-learn, PyTorch, Keras and fastmlp, a table of names
- `fastmlp.guide.training`: layers, losses, optimizers, schedules, callbacks, what Ctrl-C does
- `fastmlp.guide.estimators`: what the estimators add to scikit-learn's, and where they differ
- `fastmlp.guide.tables`: tables as they come: what becomes of each column, the recipe, files
- `fastmlp.guide.bfloat16`: what is rounded, which CPUs are faster with it, accuracy, speed
- `fastmlp.guide.data`: MNIST, and which files are read
- `fastmlp.guide.scaling`: checkpoints, data larger than memory, many networks at once, clusters
- `fastmlp.guide.exchange`: ONNX, PyTorch and scikit-learn
- `fastmlp.guide.command_line`: every command, with examples
- `fastmlp.guide.security`: what loading a file can execute, where compiled code is kept, how to report a vulnerability
- `fastmlp.guide.speed`: Adam, bfloat16, the estimators, time to 98 % on MNIST, the first training after an installation
- `fastmlp.guide.results`: the three experiments beside the report's numbers
- `fastmlp.guide.developing`: the package file by file, debugging, other CPUs, the kernel cache, the API reference
- `fastmlp.guide.benchmarks`: asv, the gate, the workflows, the side-by-side scripts
"""
