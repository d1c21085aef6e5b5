"""MMDetection plugin: detectors of transparent plates on ClearGrasp backbones.

Importing it applies workarounds for upstream packages (:mod:`.compat`) and registers its types with
MMDetection, for configs, ``DetInferencer`` and all other uses of MMDetection's registries. This
takes milliseconds: torch and MMDetection are imported only when they are used.
"""

from . import compat
from .utils.config_paths import config_dir, config_path
from .version import __version__

compat.apply()

__all__ = ['__version__', 'config_dir', 'config_path']
