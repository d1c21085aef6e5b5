"""Errors, atomic files, progress bars, YAML specs and config paths; nothing here imports torch."""
