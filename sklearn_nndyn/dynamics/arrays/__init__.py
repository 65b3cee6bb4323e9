"""Records from arrays: the losses in NumPy, and what is checked of scores, labels and ids."""
