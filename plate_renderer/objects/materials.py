"""What things are made of: refractive indices, absorption, and the finish of opaque surfaces.

Materials are plain values; `pathtracer` turns them into Mitsuba's BSDFs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..geometry.meshes import AIR, Mesh

IOR = {
    AIR: 1.0,
    'polystyrene': 1.59,
    'polypropylene': 1.49,
    'soda_lime_glass': 1.52,
    'borosilicate_glass': 1.47,
    'water': 1.333,
    'agar': 1.335,
}
"""Refractive indices at the sodium line: polymers and glasses from manufacturers' data sheets
(crystal polystyrene 1.59, DURAN borosilicate 3.3 glass 1.473), water at 20 °C, and agar gels of
1–2 %, which are nearly water."""

Color: TypeAlias = tuple[float, float, float]
CLEAR: Color = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Interface:
    """Smooth boundary between two transparent media.

    Args:
        inside: Refractive index on the side that the normals point away from.
        outside: Refractive index on the other side.
        transmittance: Linear RGB share in [0, 1] of light that gets through, which carries the
            absorption of the medium (see `absorbed`).
    """

    inside: float
    outside: float
    transmittance: Color = CLEAR


@dataclass(frozen=True, eq=False)
class Coating:
    """Thin layer that scatters light where it is and lets it pass straight where it is not.

    It stands for ink, labels, bacterial lawns, and for the turbidity of a gel gathered in one
    layer: a share `opacity` of the light meets it, is absorbed or leaves diffusely; the rest
    passes. With `translucent` it leaves on both sides, otherwise on the side that it came from.

    Args:
        color: Linear RGB in [0, 1], or a texture of shape (h, w, 3) whose first row is the top.
        opacity: In [0, 1], or a texture of shape (h, w).
        translucent: Whether light comes through as well as back.
    """

    color: Color | np.ndarray
    opacity: float | np.ndarray
    translucent: bool = False


@dataclass(frozen=True, eq=False)
class Opaque:
    """Surface that no light passes.

    Args:
        color: Linear RGB in [0, 1], or a texture of shape (h, w, 3) whose first row is the top.
        finish: `matte` (Lambertian), `coated` (a clear coat over a diffuse base: plastics,
            lacquer, laminate) or `metal`.
        roughness: GGX width of the coat or metal; ignored when matte.
        stretch: Roughness along y over that along x, above 1 for metal brushed along x.
    """

    color: Color | np.ndarray
    finish: str = 'matte'
    roughness: float = 0.2
    stretch: float = 1.0


@dataclass(frozen=True, eq=False)
class Glowing:
    """Surface that gives light.

    Args:
        radiance: Linear RGB in W·sr⁻¹·m⁻², to a common scale: exposure is set afterwards. A
            texture of shape (h, w, 3) whose first row is the top is a screen.
    """

    radiance: Color | np.ndarray


Material: TypeAlias = Interface | Coating | Opaque | Glowing


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh and what it is made of.

    Args:
        mesh: Its surface.
        material: What that is made of.
        pane: Whether it is looked through rather than at, as a lid or the surface of a gel.
    """

    mesh: Mesh
    material: Material
    pane: bool = False


def interface(inside: str, outside: str = AIR, transmittance: Color = CLEAR) -> Interface:
    """Return the boundary between two media that are named in `IOR`.

    Example:
        >>> interface('polystyrene', 'agar').outside
        1.335
    """
    return Interface(IOR[inside], IOR[outside], transmittance)


def absorbed(absorption: Color, depth: float) -> Color:
    """Linear RGB share of light left after a depth of an absorbing medium, by Beer and Lambert.

    The renderer puts it on the medium's upper surface, as if every ray crossed the nominal depth
    once: exact for light that passes vertically, too bright by the slant of other rays. Following
    rays through a true participating medium takes several times as long.

    Args:
        absorption: Linear RGB absorption coefficients in 1/mm.
        depth: In millimeters.

    Example:
        >>> [round(share, 2) for share in absorbed((0.0, 0.1, 0.5), depth=4.0)]
        [1.0, 0.67, 0.14]
    """
    red, green, blue = np.exp(-np.asarray(absorption) * depth).tolist()
    return (red, green, blue)
