"""Materials: refractive indices, absorption and finishes of opaque surfaces.

Materials are plain values; `output.pathtracer` converts them to Mitsuba's BSDFs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..geometry.extrusion import AIR
from ..geometry.mesh import Mesh

IOR = {
    AIR: 1.0,
    'polystyrene': 1.59,
    'polypropylene': 1.49,
    'soda_lime_glass': 1.52,
    'borosilicate_glass': 1.47,
    'water': 1.333,
    'agar': 1.335,
}
"""Refractive indices by medium, at 589 nm: polymers and glasses from manufacturers' data sheets
(crystal polystyrene 1.59, DURAN borosilicate 3.3 glass 1.473), water at 20 °C, and agar gels of
1–2 %, which are close to water."""

Color: TypeAlias = tuple[float, float, float]
"""Linear RGB."""
CLEAR: Color = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Interface:
    """Smooth boundary between two transparent media.

    Args:
        inside: Refractive index on the side that the normals point away from.
        outside: Refractive index on the other side.
        transmittance: Share of light that is transmitted, in [0, 1], linear RGB; it includes the
            absorption of the medium (see `absorbed`).
    """

    inside: float
    outside: float
    transmittance: Color = CLEAR


@dataclass(frozen=True, eq=False)
class Coating:
    """Thin layer of partial coverage: ink, labels, bacterial lawns, turbidity of agar.

    The share `opacity` of the light is absorbed or scattered diffusely; the rest passes unchanged.

    Args:
        color: Reflectance, linear RGB in [0, 1], or a texture of shape (h, w, 3), top row first.
        opacity: Opacity in [0, 1], or a texture of shape (h, w).
        translucent: Whether light is scattered to both sides instead of only back.
    """

    color: Color | np.ndarray
    opacity: float | np.ndarray
    translucent: bool = False


@dataclass(frozen=True, eq=False)
class Opaque:
    """Opaque surface.

    Args:
        color: Reflectance, linear RGB in [0, 1], or a texture of shape (h, w, 3), top row first.
        finish: `matte` (Lambertian), `coated` (clear coat on a diffuse base, as plastics, lacquer
            and laminate) or `metal`.
        roughness: GGX roughness of the coat or metal; ignored if matte.
        stretch: Ratio of the metal's roughness along y to that along x; above 1 for metal that is
            brushed along x.
    """

    color: Color | np.ndarray
    finish: str = 'matte'
    roughness: float = 0.2
    stretch: float = 1.0


@dataclass(frozen=True, eq=False)
class Glowing:
    """Surface that emits light.

    Args:
        radiance: Radiance, linear RGB in an arbitrary unit (exposure is automatic), or a texture of
            shape (h, w, 3), top row first.
    """

    radiance: Color | np.ndarray


Material: TypeAlias = Interface | Coating | Opaque | Glowing


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh with its material.

    Args:
        mesh: The mesh.
        material: Its material.
        pane: Whether objects are seen through it, as through a lid or an agar surface: half of the
            denoiser's features ignore it.
    """

    mesh: Mesh
    material: Material
    pane: bool = False


def interface(inside: str, outside: str = AIR, transmittance: Color = CLEAR) -> Interface:
    """Return the interface between two media.

    Args:
        inside: Medium that the normals point away from, a name in `IOR`.
        outside: Medium on the other side, a name in `IOR`.
        transmittance: Share of light that is transmitted, in [0, 1], linear RGB.

    Raises:
        KeyError: If a medium is unknown.

    Example:
        >>> interface('polystyrene', 'agar').outside
        1.335
    """
    return Interface(IOR[inside], IOR[outside], transmittance)


def absorbed(absorption: Color, depth: float) -> Color:
    """Transmittance of an absorbing medium by the Beer–Lambert law.

    It is applied at the medium's upper surface, as if all rays crossed its nominal depth once:
    exact for vertical rays, too bright for slanted ones. Tracing rays through a participating
    medium would take several times as long.

    Args:
        absorption: Absorption coefficients in 1/mm, linear RGB.
        depth: Depth of the medium in millimeters.

    Returns:
        Share of light that is transmitted, in [0, 1], linear RGB.

    Example:
        >>> [round(share, 2) for share in absorbed((0.0, 0.1, 0.5), depth=4.0)]
        [1.0, 0.67, 0.14]
    """
    red, green, blue = np.exp(-np.asarray(absorption) * depth).tolist()
    return (red, green, blue)
