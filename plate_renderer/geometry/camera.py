"""The camera: where it stands, what it sees, and where a point falls on the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SENSOR_WIDTH = 36.0
"""Millimeters across a full-frame sensor: focal lengths are given for it, as phones do."""


@dataclass(frozen=True)
class Camera:
    """A thin-lens camera.

    Args:
        origin: Center of the lens in world millimeters.
        target: Point that is at the image's center, and in focus unless `focus_distance` says
            otherwise.
        up: Direction that is up in the image; need not be at a right angle to the view.
        focal_length: For a sensor `SENSOR_WIDTH` wide, in millimeters.
        width: Of the image in pixels.
        height: Of the image in pixels.
        aperture_radius: Of the lens in millimeters; 0 is a pinhole.
        focus_distance: In millimeters along the view.

    Example:
        >>> camera = Camera((0, 0, 500), (0, 0, 0), (0, 1, 0), 36.0, 200, 100)
        >>> camera.project(np.array([[0.0, 0.0, 0.0], [250.0, 0.0, 0.0]])).tolist()
        [[100.0, 50.0], [200.0, 50.0]]
    """

    origin: tuple[float, float, float]
    target: tuple[float, float, float]
    up: tuple[float, float, float]
    focal_length: float
    width: int
    height: int
    aperture_radius: float = 0.0
    focus_distance: float = 0.0

    @property
    def axes(self) -> np.ndarray:
        """Rows: right, up and backwards (towards the viewer) in the world, float64 (3, 3)."""
        backward = np.subtract(self.origin, self.target).astype(float)
        backward /= np.linalg.norm(backward)
        right = np.cross(self.up, backward)
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(backward, right), backward])

    @property
    def pixels_per_unit(self) -> float:
        """Pixels that a length of one at distance one covers."""
        return self.width * self.focal_length / SENSOR_WIDTH

    @property
    def horizontal_fov(self) -> float:
        """Angle of view across the image in degrees."""
        return float(np.degrees(2 * np.arctan(SENSOR_WIDTH / 2 / self.focal_length)))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixel coordinates of world points; NaN where a point is behind the lens.

        Args:
            points: float64 of shape (n, 3), millimeters.

        Returns:
            float64 of shape (n, 2): x to the right and y down from the image's left upper corner.
        """
        x, y, z = ((points - np.asarray(self.origin)) @ self.axes.T).T
        distance = np.where(z < 0, -z, np.nan)
        scale = self.pixels_per_unit / distance
        return np.stack([self.width / 2 + x * scale, self.height / 2 - y * scale], axis=1)

    def rays(self) -> np.ndarray:
        """Direction through every pixel's center, in camera axes, with z = -1.

        Returns:
            float64 of shape (height, width, 3).
        """
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.pixels_per_unit
        y = (self.height / 2 - np.arange(self.height) - 0.5) / self.pixels_per_unit
        grid_x, grid_y = np.meshgrid(x, y)
        return np.stack([grid_x, grid_y, -np.ones_like(grid_x)], axis=-1)

    def ground_point(self, x: float, y: float) -> np.ndarray | None:
        """Where the ray through pixel coordinates meets z = 0; None if it does not.

        Args:
            x: To the right, in pixels.
            y: Down, in pixels.
        """
        local = np.array([x - self.width / 2, self.height / 2 - y, -self.pixels_per_unit])
        direction = local @ self.axes
        if direction[2] >= -1e-6:
            return None
        origin = np.asarray(self.origin, float)
        return origin + direction * (-origin[2] / direction[2])

    def sees(self, points: np.ndarray, margin: float = 0.15) -> bool:
        """Whether any of the points is within the frame widened by a share of its size."""
        pixels = self.project(points) / [self.width, self.height]
        inside = (pixels > -margin) & (pixels < 1 + margin)
        return bool(inside.all(axis=1).any())


def framing(
    points: np.ndarray,
    elevation: float,
    azimuth: float,
    roll: float,
    fill: float,
    shift: tuple[float, float],
    focal_length: float,
    size: tuple[int, int],
    aperture_radius: float = 0.0,
    defocus: float = 0.0,
) -> Camera:
    """Place a camera so that points fill a share of the frame.

    Args:
        points: What is photographed, world millimeters, float64 of shape (n, 3).
        elevation: Angle above the bench in degrees; 90 looks straight down.
        azimuth: Direction from which it looks, in degrees.
        roll: Rotation about the view in degrees.
        fill: Share of the frame's width or height that the points span, whichever is reached
            first; above 1 crops them, at grazing angles only roughly by as much.
        shift: By how much of the frame they lie off its center, (x, y).
        focal_length: In millimeters for full frame.
        size: (width, height) in pixels.
        aperture_radius: Of the lens in millimeters.
        defocus: Error of the focus distance as a share of it.

    Returns:
        The camera.
    """
    tilt, turn, spin = np.radians([elevation, azimuth, roll])
    back = np.array([np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)])
    # Derived from the angles, this "up" stays defined when the camera looks straight down.
    up = np.array([-np.sin(tilt) * np.cos(turn), -np.sin(tilt) * np.sin(turn), np.cos(tilt)])
    right = np.cross(up, back)
    up = np.cos(spin) * up + np.sin(spin) * right
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    distance = 3.0 * float(np.linalg.norm(np.ptp(points, axis=0))) + 50.0

    def camera(distance: float, target: np.ndarray) -> Camera:
        return Camera(
            tuple((target + distance * back).tolist()),
            tuple(target.tolist()),
            tuple(up.tolist()),
            focal_length,
            *size,
            aperture_radius=aperture_radius,
            focus_distance=distance * (1 + defocus),
        )

    # The span is nearly inverse to the distance: a few corrections settle it.
    for _ in range(6):
        view = camera(distance, center)
        pixels = view.project(points)
        low, high = np.nanmin(pixels, axis=0), np.nanmax(pixels, axis=0)
        span = ((high - low) / size).max()
        distance *= span / fill
        offset = ((low + high) / 2 - np.array(size) / 2) / view.pixels_per_unit * distance
        center = center + offset[0] * view.axes[0] - offset[1] * view.axes[1]
    frame = np.array(size) / camera(distance, center).pixels_per_unit * distance
    axes = camera(distance, center).axes
    center = center - shift[0] * frame[0] * axes[0] + shift[1] * frame[1] * axes[1]
    return camera(distance, center)
