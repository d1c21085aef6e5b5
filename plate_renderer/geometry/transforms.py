"""Rigid transformations."""

from __future__ import annotations

import numpy as np


def rotation_z(angle: float) -> np.ndarray:
    """Rotation about the vertical axis, counterclockwise seen from above.

    Args:
        angle: Angle in radians.

    Returns:
        Matrix, float64 of shape (4, 4).

    Example:
        >>> (rotation_z(np.pi / 2) @ [1, 0, 5, 1]).round(6).tolist()
        [0.0, 1.0, 5.0, 1.0]
    """
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix
