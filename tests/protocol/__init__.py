"""A model of the threads of a training and their shared work, and a search through all states of the model."""
