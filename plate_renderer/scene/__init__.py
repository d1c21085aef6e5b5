"""Scenes, sampled from a spec: plates, other objects, bench, lights and camera."""
