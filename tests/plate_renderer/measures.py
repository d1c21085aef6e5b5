"""Volumes of meshes, and whether their normals agree with their faces."""

import numpy as np

from plate_renderer.geometry.mesh import Mesh
from plate_renderer.objects.materials import Interface, Part


def volume(mesh: Mesh) -> float:
    """Signed volume in mm³ by the divergence theorem; meaningful for closed meshes."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.einsum('ij,ij->', a, np.cross(b, c)) / 6)


def volume_of_medium(parts: list[Part] | tuple[Part, ...], index: float) -> float:
    """Volume in mm³ of everything with a refractive index, from its interfaces."""
    interfaces = [part for part in parts if isinstance(part.material, Interface)]
    return sum(
        volume(part.mesh) * ((part.material.inside == index) - (part.material.outside == index))
        for part in interfaces
    )


def faces_agree_with_normals(mesh: Mesh) -> bool:
    """Whether normals and faces point to the same side."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    mean = mesh.normals[mesh.faces].mean(axis=1)
    return bool((np.einsum('ij,ij->i', flat, mean) > 0).all())
