"""MMDetection plugin: detectors of transparent plates on ClearGrasp backbones.

Importing it closes upstream's gaps (:mod:`.compat`) and registers its types with MMDetection, so
that configs, ``DetInferencer`` and everything else of MMDetection find them. It takes milliseconds:
torch and MMDetection are imported no earlier than they are used.
"""

from . import compat
from .utils.config_paths import config_dir, config_path
from .version import __version__

compat.apply()

__all__ = ['__version__', 'config_dir', 'config_path']
