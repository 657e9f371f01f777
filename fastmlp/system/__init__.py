"""The process and the machine around a training: cores, files, Ctrl-C, progress, optional packages."""
