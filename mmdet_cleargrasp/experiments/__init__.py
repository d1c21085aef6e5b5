"""Experiments: training of several arms, with several seeds, on fractions of the data."""
