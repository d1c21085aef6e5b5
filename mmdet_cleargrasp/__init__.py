"""MMDetection plugin: detectors of transparent plates on ClearGrasp backbones.

Importing it closes the gaps to today's libraries (:mod:`.compat`) and registers its types with
MMDetection, so that configs, ``DetInferencer`` and everything else of MMDetection find them.
"""

from . import compat

compat.apply()

from . import checkpoints, models  # noqa: E402  the types register themselves
from .datasets import augmentation, composition, loading  # noqa: E402
from .engine import hooks, mixed_precision, resuming  # noqa: E402
from .evaluation import coco_metric  # noqa: E402
from .utils.config_paths import config_dir, config_path  # noqa: E402
from .version import __version__  # noqa: E402

__all__ = [
    '__version__',
    'augmentation',
    'checkpoints',
    'coco_metric',
    'composition',
    'config_dir',
    'config_path',
    'hooks',
    'loading',
    'mixed_precision',
    'models',
    'resuming',
]
