"""What a run is made of: its config, the check before it, training, testing and hooks."""
