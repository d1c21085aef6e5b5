"""Running a config: checks, training, testing and hooks."""
