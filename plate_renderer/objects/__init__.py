"""Plates, what is in and on them, and the other things of a laboratory."""
