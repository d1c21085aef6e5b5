"""A page on which photographs are dropped and plates are found: python -m mmdet_cleargrasp.app."""
