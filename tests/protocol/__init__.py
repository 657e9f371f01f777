"""A model of how the threads of a training share their work, and a search through all of its states."""
