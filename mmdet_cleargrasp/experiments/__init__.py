"""Experiments: the same training of several arms, with several seeds, on parts of the data."""
