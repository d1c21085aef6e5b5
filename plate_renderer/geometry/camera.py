"""The camera: its pose, the projection of points, and the rays of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SENSOR_WIDTH = 36.0
"""Width of a full-frame sensor in millimeters, for which focal lengths are given."""


@dataclass(frozen=True)
class Camera:
    """A thin-lens camera.

    Args:
        origin: Center of the lens in world millimeters.
        target: Point at the image's center, in world millimeters.
        up: Direction that is up in the image; need not be perpendicular to the viewing direction.
        focal_length: Focal length in millimeters, for a sensor of width `SENSOR_WIDTH`.
        width: Image width in pixels.
        height: Image height in pixels.
        aperture_radius: Radius of the aperture in millimeters; 0 is a pinhole.
        focus_distance: Distance of the plane of focus in millimeters, along the viewing direction;
            ignored by a pinhole.

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
        """Camera axes as rows: right, up and backwards (towards the viewer), float64 (3, 3)."""
        backward = np.subtract(self.origin, self.target).astype(float)
        backward /= np.linalg.norm(backward)
        right = np.cross(self.up, backward)
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(backward, right), backward])

    @property
    def pixels_per_unit(self) -> float:
        """Focal length in pixels: the image size of an object of size 1 at distance 1."""
        return self.width * self.focal_length / SENSOR_WIDTH

    @property
    def horizontal_fov(self) -> float:
        """Horizontal field of view in degrees."""
        return float(np.degrees(2 * np.arctan(SENSOR_WIDTH / 2 / self.focal_length)))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project world points to pixel coordinates.

        Args:
            points: World points in millimeters, float64 of shape (n, 3).

        Returns:
            X (right) and y (down) from the image's upper left corner in pixels, float64 of shape
            (n, 2); NaN for points behind the lens.
        """
        x, y, z = ((points - np.asarray(self.origin)) @ self.axes.T).T
        distance = np.where(z < 0, -z, np.nan)
        scale = self.pixels_per_unit / distance
        return np.stack([self.width / 2 + x * scale, self.height / 2 - y * scale], axis=1)

    def rays(self) -> np.ndarray:
        """Directions of the rays through the pixel centers.

        Returns:
            Directions in camera axes, scaled to z = -1, float64 of shape (height, width, 3).
        """
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.pixels_per_unit
        y = (self.height / 2 - np.arange(self.height) - 0.5) / self.pixels_per_unit
        grid_x, grid_y = np.meshgrid(x, y)
        return np.stack([grid_x, grid_y, -np.ones_like(grid_x)], axis=-1)

    def ground_point(self, x: float, y: float) -> np.ndarray | None:
        """Intersect the ray of a pixel position with the plane z = 0.

        Args:
            x: Pixel coordinate to the right.
            y: Pixel coordinate downwards.

        Returns:
            World point in millimeters, float64 of shape (3,); None if the ray does not meet the
            plane.
        """
        local = np.array([x - self.width / 2, self.height / 2 - y, -self.pixels_per_unit])
        direction = local @ self.axes
        if direction[2] >= -1e-6:
            return None
        origin = np.asarray(self.origin, float)
        return origin + direction * (-origin[2] / direction[2])

    def sees(self, points: np.ndarray, margin: float = 0.15) -> bool:
        """Whether any point is projected into the frame.

        Args:
            points: World points in millimeters, float64 of shape (n, 3).
            margin: Width by which the frame is enlarged on each side, as a share of its size.
        """
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
    """Place a camera so that points fill a given share of the frame.

    Args:
        points: Points to frame in world millimeters, float64 of shape (n, 3).
        elevation: Angle of the viewing direction above the horizontal in degrees; 90 looks straight
            down.
        azimuth: Direction of the camera around the vertical axis in degrees.
        roll: Rotation about the viewing direction in degrees.
        fill: Share of the frame's width or height that the points span, whichever is larger. Above
            1 the points are cropped; at grazing angles only approximately by this factor.
        shift: Offset (x, y) of the points from the frame's center, as a share of the frame's size.
        focal_length: Focal length in millimeters, for full frame.
        size: Image width and height in pixels.
        aperture_radius: Radius of the aperture in millimeters.
        defocus: Relative error of the focus distance.

    Returns:
        The camera.

    Example:
        >>> square = np.array([[x, y, 0.0] for x in (-50, 50) for y in (-50, 50)])
        >>> camera = framing(square, 90, 0, 0, 0.5, (0, 0), focal_length=35, size=(64, 64))
        >>> np.ptp(camera.project(square), axis=0).round(3).tolist()
        [32.0, 32.0]
    """
    tilt, turn, spin = np.radians([elevation, azimuth, roll])
    back = np.array([np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)])
    # Computed from the angles, "up" is defined even if the camera looks straight down.
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

    # The projected size is almost inversely proportional to the distance: iterations converge fast.
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
