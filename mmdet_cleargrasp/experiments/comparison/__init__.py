"""Holding runs against each other: figures with their uncertainty, and a report that says so."""
