"""Errors, files, locks, tables, progress bars, YAML specs and config paths; imports no torch."""
