"""Path tracing with Mitsuba, which only this module uses.

The inputs of the ground truth are rendered separately, with one ray through the center of each
pixel: averages over a pixel would mix the indices and normals of different objects.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..geometry.camera import Camera
from ..objects.materials import Coating, Glowing, Interface, Material, Opaque, Part
from ..scene.lighting import Lighting

BLOCK = 32
"""Size of the image blocks, each of which Mitsuba gives a random seed. By default it depends on the
number of threads, and so would the noise."""

VARIANTS = ('scalar_rgb', 'llvm_ad_rgb', 'cuda_ad_rgb')
"""Mitsuba's variants that may be used, from the slowest to the fastest."""
MISSING = (
    'Rendering needs Mitsuba 3, which is not installed: '
    "run `pip install 'mmdet_cleargrasp[render]'` and try again"
)
BROKEN = (
    'Rendering needs Mitsuba 3, which cannot be loaded: {reason}. Install what is missing '
    '(libatomic.so.1 on Debian and Ubuntu: `apt-get install libatomic1`) and try again'
)


class MissingRendererError(ImportError):
    """Mitsuba, or a system library that it needs, is not installed."""


@dataclass(frozen=True, eq=False)
class FirstSurface:
    """The first surface that the ray of each pixel's center hits.

    Args:
        owner: Index of the object, int32 of shape (h, w); -1 for the surroundings or no surface.
        distance: Distance along the ray in millimeters, float32 of shape (h, w); 0 without a
            surface.
        shading_normals: Interpolated unit normals in world axes, float32 of shape (h, w, 3).
        face_normals: Unit normals of the triangles in world axes, float32 of shape (h, w, 3).
    """

    owner: np.ndarray
    distance: np.ndarray
    shading_normals: np.ndarray
    face_normals: np.ndarray


class Tracer:
    """A scene in Mitsuba.

    Args:
        objects: Parts of each object; `FirstSurface.owner` refers to their order.
        surroundings: Parts that belong to no object, such as the bench.
        lighting: Lights and room.
        camera: The camera.
        variant: Mitsuba's variant, one of `VARIANTS`.

    Raises:
        MissingRendererError: If Mitsuba is not installed.
    """

    def __init__(
        self,
        objects: Sequence[Sequence[Part]],
        surroundings: Iterable[Part],
        lighting: Lighting,
        camera: Camera,
        variant: str = 'scalar_rgb',
    ) -> None:
        """Load the scene."""
        self._mi = load_mitsuba(variant)
        self._camera = camera
        loose = [*surroundings, *lighting.parts]
        owned = [(owner, part) for owner, parts in enumerate(objects) for part in parts]
        owned += [(-1, part) for part in loose]
        self._meshes = [self._mesh(part) for _, part in owned]
        self._owners = np.array([owner for owner, _ in owned], np.int32)
        self._panes = np.array([part.pane for _, part in owned])
        sky = self._mi.Bitmap(lighting.room.astype(np.float32))
        upright = self._mi.ScalarTransform4f().rotate([1, 0, 0], 90)
        self._scene = self._mi.load_dict(
            {
                'type': 'scene',
                'room': {'type': 'envmap', 'bitmap': sky, 'to_world': upright},
                **{f'mesh{k}': mesh for k, mesh in enumerate(self._meshes)},
            }
        )

    def radiance(self, samples: int, depth: int, seed: int) -> np.ndarray:
        """Render the scene by path tracing.

        Args:
            samples: Number of paths per pixel.
            depth: Largest number of surfaces of a path.
            seed: Random seed.

        Returns:
            Linear RGB radiance, float32 of shape (h, w, 3).
        """
        path = {'type': 'path', 'max_depth': depth, 'rr_depth': 10, 'block_size': BLOCK}
        sampler = {'type': 'independent', 'sample_count': samples}
        return self._render(self._scene, path, sampler, self._camera.aperture_radius, seed)[..., :3]

    def features(self, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Render the denoiser's features: albedo and normals of the first surface.

        They are the mean with and without panes (see `Part`), so that the denoiser keeps details
        under lids and agar surfaces.

        Args:
            samples: Number of rays per pixel.
            seed: Random seed.

        Returns:
            Albedo and normals, each float32 of shape (h, w, 3).
        """
        aov = {'type': 'aov', 'aovs': 'albedo:albedo,normal:sh_normal', 'block_size': BLOCK}
        sampler = {'type': 'independent', 'sample_count': samples}
        aperture = self._camera.aperture_radius
        closed = self._render(self._scene, aov, sampler, aperture, seed)
        opened = self._render(self._subset(~self._panes), aov, sampler, aperture, seed)
        both = (closed + opened) / 2
        return both[..., :3], both[..., 3:6]

    def first_surface(self) -> FirstSurface:
        """Trace one ray through the center of each pixel, with a pinhole camera."""
        channels = self._centers(self._scene)
        owners = np.concatenate([[-1], self._owners])
        owner = owners[self._shape_numbers(channels[..., 0])]
        return FirstSurface(owner, channels[..., 1], channels[..., 2:5], channels[..., 5:8])

    def _shape_numbers(self, index: np.ndarray) -> np.ndarray:
        """Numbers of the shapes in the order of the scene, from 1; 0 is the background."""
        found = np.rint(index).astype(np.int64)
        if self._mi.variant().startswith('scalar'):
            return found
        # Vectorized variants return registry numbers, which count all shapes of the process.
        drjit = importlib.import_module('drjit')
        registry = np.array(drjit.reinterpret_array(self._mi.UInt32, self._scene.shapes_dr()))
        numbers = np.zeros(max(found.max(), registry.max()) + 1, np.int64)
        numbers[registry] = np.arange(1, len(registry) + 1)
        return numbers[found]

    def whole_mask(self, owner: int) -> np.ndarray:
        """Pixels that an object would cover without occlusion, bool of shape (h, w).

        Args:
            owner: Index of the object.
        """
        return self._centers(self._subset(self._owners == owner))[..., 0] > 0

    def _subset(self, chosen: np.ndarray) -> Any:
        """A scene of the chosen meshes, without the room's light."""
        meshes = {f'mesh{k}': self._meshes[k] for k in np.flatnonzero(chosen)}
        return self._mi.load_dict({'type': 'scene', **meshes})

    def _centers(self, scene: Any) -> np.ndarray:
        integrator = {
            'type': 'aov',
            'aovs': 'index:shape_index,distance:depth,smooth:sh_normal,flat:geo_normal',
            'block_size': BLOCK,
        }
        sampler = {'type': 'stratified', 'jitter': False, 'sample_count': 1}
        return self._render(scene, integrator, sampler, aperture=0.0, seed=0)

    def _render(
        self, scene: Any, integrator: dict, sampler: dict, aperture: float, seed: int
    ) -> np.ndarray:
        mi, camera = self._mi, self._camera
        lens: dict[str, Any] = {'type': 'perspective'}
        if aperture > 0:
            lens = {
                'type': 'thinlens',
                'aperture_radius': aperture,
                'focus_distance': camera.focus_distance,
            }
        sensor = mi.load_dict(
            {
                **lens,
                'fov': camera.horizontal_fov,
                'fov_axis': 'x',
                'near_clip': 1.0,
                'far_clip': 1e5,
                'to_world': mi.ScalarTransform4f().look_at(
                    origin=list(camera.origin), target=list(camera.target), up=list(camera.up)
                ),
                # With a box filter pixels share no samples, so that sums do not depend on the order
                # in which threads finish: images are reproducible to the last bit.
                'film': {
                    'type': 'hdrfilm',
                    'width': camera.width,
                    'height': camera.height,
                    'rfilter': {'type': 'box'},
                    'pixel_format': 'rgb',
                },
                'sampler': sampler,
            }
        )
        image = mi.render(scene, sensor=sensor, integrator=mi.load_dict(integrator), seed=seed,
                          spp=sampler['sample_count'])  # fmt: skip
        return np.array(image)

    def _mesh(self, part: Part) -> Any:
        mi = self._mi
        properties = mi.Properties()
        if isinstance(part.material, Glowing):
            radiance = self._texture(part.material.radiance)
            properties['emitter'] = mi.load_dict({'type': 'area', 'radiance': radiance})
        properties['bsdf'] = mi.load_dict(self._bsdf(part.material))
        vertices, faces = part.mesh.vertices, part.mesh.faces
        mesh = mi.Mesh('mesh', len(vertices), len(faces), has_vertex_normals=True,
                       has_vertex_texcoords=True, props=properties)  # fmt: skip
        buffers = mi.traverse(mesh)
        buffers['vertex_positions'] = vertices.astype(np.float32).ravel()
        buffers['vertex_normals'] = part.mesh.normals.astype(np.float32).ravel()
        buffers['vertex_texcoords'] = part.mesh.uv.astype(np.float32).ravel()
        buffers['faces'] = faces.astype(np.uint32).ravel()
        buffers.update()
        return mesh

    def _bsdf(self, material: Material) -> dict:
        if isinstance(material, Interface):
            return {
                'type': 'dielectric',
                'int_ior': material.inside,
                'ext_ior': material.outside,
                'specular_transmittance': self._texture(material.transmittance),
            }
        if isinstance(material, Coating):
            if material.translucent:
                layer = {
                    'type': 'principledthin',
                    'base_color': self._texture(material.color),
                    'diff_trans': 0.8,
                    'roughness': 1.0,
                    'eta': 1.01,
                    'spec_trans': 0.0,
                }
            else:
                diffuse = {'type': 'diffuse', 'reflectance': self._texture(material.color)}
                layer = {'type': 'twosided', 'layer': diffuse}
            return {'type': 'mask', 'opacity': self._texture(material.opacity), 'layer': layer}
        if isinstance(material, Opaque):
            return {'type': 'twosided', 'surface': self._opaque(material)}
        return {'type': 'diffuse', 'reflectance': {'type': 'rgb', 'value': 0.0}}

    def _opaque(self, material: Opaque) -> dict:
        color = self._texture(material.color)
        if material.finish == 'matte':
            return {'type': 'diffuse', 'reflectance': color}
        if material.finish == 'coated':
            return {
                'type': 'roughplastic',
                'distribution': 'ggx',
                'alpha': material.roughness,
                'diffuse_reflectance': color,
            }
        return {
            'type': 'roughconductor',
            'distribution': 'ggx',
            'material': 'none',
            'alpha_u': material.roughness,
            'alpha_v': min(material.roughness * material.stretch, 1.0),
            'specular_reflectance': color,
        }

    def _texture(self, value: Any) -> Any:
        array = np.asarray(value, np.float32)
        if array.ndim == 0:
            return float(array)
        if array.ndim == 1:
            return {'type': 'rgb', 'value': array.tolist()}
        # Mitsuba's first texture row is at v = 0, the bottom.
        pixels = (array if array.ndim == 3 else array[..., None])[::-1]
        return {
            'type': 'bitmap',
            'bitmap': self._mi.Bitmap(np.ascontiguousarray(pixels)),
            'raw': True,
            'wrap_mode': 'mirror',
        }


def load_mitsuba(variant: str = 'scalar_rgb') -> ModuleType:
    """Import Mitsuba and set its variant.

    Args:
        variant: One of `VARIANTS`.

    Raises:
        MissingRendererError: If Mitsuba is not installed or cannot be loaded.
    """
    try:
        mitsuba = importlib.import_module('mitsuba')
    except ModuleNotFoundError as error:
        raise MissingRendererError(MISSING) from error
    except (ImportError, NameError) as error:
        # Dr.Jit, which Mitsuba imports, replaces the loader's ImportError by a NameError.
        raise MissingRendererError(BROKEN.format(reason=error.__context__ or error)) from error
    mitsuba.set_variant(variant)
    mitsuba.set_log_level(mitsuba.LogLevel.Error)
    return mitsuba


def fastest_variant() -> str:
    """Find the fastest of `VARIANTS` that works on this machine.

    Each is tried in a separate process, because an LLVM that is too old for Mitsuba aborts the
    process instead of raising an error.

    Raises:
        MissingRendererError: If Mitsuba is not installed.
    """
    load_mitsuba()
    trial = (
        'import sys, mitsuba as mi; mi.set_variant(sys.argv[1]); '
        'mi.render(mi.load_dict(mi.cornell_box()), spp=1).numpy()'
    )
    for variant in reversed(VARIANTS):
        done = subprocess.run([sys.executable, '-c', trial, variant], capture_output=True)
        if done.returncode == 0:
            return variant
    return VARIANTS[0]


def denoised(radiance: np.ndarray, albedo: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Remove Monte Carlo noise with Intel's Open Image Denoise, if `pyoidn` is installed.

    Args:
        radiance: Linear RGB, float32 of shape (h, w, 3).
        albedo: Albedo of the first surface, float32 of shape (h, w, 3).
        normals: Normals of the first surface, float32 of shape (h, w, 3).

    Returns:
        The denoised radiance, or `radiance` itself without `pyoidn`.
    """
    try:
        pyoidn = importlib.import_module('pyoidn')
    except ImportError:
        return radiance
    flat = [np.ascontiguousarray(image, np.float32) for image in (radiance, albedo, normals)]
    return pyoidn.denoise(flat[0], albedo=np.clip(flat[1], 0, 1), normal=flat[2], hdr=True)
