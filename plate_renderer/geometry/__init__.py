"""Meshes and the camera."""
