"""Comparison of runs: figures with confidence intervals, and a report."""
