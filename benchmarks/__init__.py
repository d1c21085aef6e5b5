"""Benchmarks: this plugin's detectors beside their peers, interleaved in one run."""
