"""Benchmarks of this plugin's detectors and of torchvision's and MMDetection's, in one run."""
