"""Gaps between MMDetection 3.3 and the libraries of today, one function each.

Every function says what upstream lacks and what will make it unnecessary. :func:`apply` runs those
that concern every use; importing :mod:`mmdet_cleargrasp` calls it once.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmcv.transforms import Compose
    from mmengine.config import Config

MINIMUM_TORCH = (2, 4)


def apply() -> None:
    """Close every gap, in an order in which each may rely on the ones before."""
    refuse_impossible_versions()
    provide_mmcv_operators()
    read_local_checkpoints_safely()
    write_local_files_whole()
    find_base_configs_at_once()
    let_inferencer_load_photographs()


def refuse_impossible_versions() -> None:
    """Raise one sentence that names the fix where the installed versions cannot work.

    - torch < 2.4 was never tried.
    - mmengine 0.10 finds ``mmdet::`` base configs through ``pkg_resources``, which setuptools has
      removed. Unnecessary with the first mmengine after 0.10.7, which uses ``importlib``
      (https://github.com/open-mmlab/mmengine/pull/1676).
    - mmdet 3.3 refuses mmcv 2.2, and older ones than 2.1 were not tried.

    Raises:
        ImportError: Naming what is installed, what is needed and the command that installs it.
    """
    import torch

    found = tuple(int(part) for part in torch.__version__.split('.')[:2])
    if found < MINIMUM_TORCH:
        raise ImportError(
            f'torch {torch.__version__} is installed, but mmdet_cleargrasp needs 2.4 or later: '
            "pip install 'torch>=2.4'"
        )
    # The last setuptools that have it warn of its end at each of mmengine's look-ups.
    warnings.filterwarnings('ignore', message='pkg_resources is deprecated')
    if importlib.util.find_spec('pkg_resources') is None:
        raise ImportError(
            'mmengine needs pkg_resources, which recent setuptools have no longer: '
            "pip install 'setuptools<81'"
        )
    import mmcv

    if not mmcv.__version__.startswith('2.1.'):
        raise ImportError(
            f'mmcv {mmcv.__version__} is installed, but mmdet_cleargrasp stands on mmcv 2.1: '
            "pip install 'mmcv-lite==2.1.0' (or a compiled mmcv 2.1.0)"
        )


def provide_mmcv_operators() -> None:
    """Stand in for ``mmcv._ext`` where mmcv was installed without its compiled operators.

    mmcv's wheels with operators exist for few torch versions and building them takes a compiler
    (https://github.com/open-mmlab/mmcv/issues/2059). A compiled mmcv is left alone. Unnecessary
    once mmcv falls back on torchvision's operators itself.

    Raises:
        ImportError: A compiled mmcv is there and does not fit the installed torch.
    """
    if importlib.util.find_spec('mmcv._ext') is None:
        from . import mmcv_operators

        sys.modules['mmcv._ext'] = _extension_module(mmcv_operators)
        return
    try:
        importlib.import_module('mmcv._ext')
    except ImportError as error:
        raise ImportError(
            f'the compiled mmcv was built for another torch ({error}); replace it: '
            'pip uninstall -y mmcv mmcv-lite && pip install mmcv-lite==2.1.0'
        ) from error


def read_local_checkpoints_safely() -> None:
    """Make mmengine read local files by :func:`~.checkpoints.reading.read_checkpoint`.

    mmengine calls ``torch.load``, which runs whatever a file names by default up to torch 2.5,
    refuses mmengine's own log history from 2.6 on
    (https://github.com/open-mmlab/mmengine/issues/1655), and doesn't compare checksums. mmengine's
    registry of loaders takes ours in place of its local one. Unnecessary once mmengine saves plain
    lists and reads with ``weights_only=True`` (https://github.com/open-mmlab/mmengine/pull/1650
    proposes the contrary).
    """
    from mmengine.runner import CheckpointLoader

    from ..checkpoints.reading import load_from_local

    CheckpointLoader.register_scheme('', load_from_local, force=True)


def write_local_files_whole() -> None:
    """Make mmengine write local files, its checkpoints above all, by :mod:`.atomic_files`.

    It writes over the target, so that a run that is killed meanwhile, or whose disk is full, leaves
    half a checkpoint under its final name. Unnecessary once mmengine's ``LocalBackend`` renames.
    """
    from mmengine.fileio import LocalBackend, register_backend

    from ..utils.atomic_files import write_atomically

    class WholeFileBackend(LocalBackend):
        """mmengine's files on disk, each written whole or not at all."""

        def put(self, obj: bytes, filepath: str) -> None:
            write_atomically(filepath, obj)

    register_backend('local', WholeFileBackend, force=True, prefixes='')


def find_base_configs_at_once() -> None:
    """Spare mmengine the look through all metafiles of a package for each ``mmdet::_base_`` config.

    Those are in none of them, as mmengine finds out after parsing a hundred YAML files. Unnecessary
    once mmengine looks for the file first.
    """
    from mmengine.config import config

    look_through_metafiles = config._get_external_cfg_path

    def find(package_path: str, cfg_file: str) -> str:
        if cfg_file.startswith('_base_/'):
            raise ValueError('has no metafile')  # upon which mmengine takes it as a path
        return look_through_metafiles(package_path, cfg_file)

    config._get_external_cfg_path = find


def let_inferencer_load_photographs() -> None:
    """Let ``DetInferencer`` run configs whose pipeline starts with :class:`.LoadPhotograph`.

    It looks for the name ``LoadImageFromFile`` alone, not for its subclasses, and loads files with
    that class whatever the config says. Other configs are left alone. Unnecessary once
    ``InferencerLoader`` builds the transform that it replaces.
    """
    from mmdet.apis import DetInferencer

    build_pipeline = DetInferencer._init_pipeline

    def build(self: DetInferencer, cfg: Config) -> Compose:
        from mmdet.datasets.transforms import InferencerLoader

        from ..datasets.loading import LoadPhotograph

        loaders = [t for t in cfg.test_dataloader.dataset.pipeline if t['type'] == 'LoadPhotograph']
        for loader in loaders:
            loader['type'] = 'LoadImageFromFile'
        pipeline = build_pipeline(self, cfg)
        for transform in pipeline.transforms:
            if loaders and isinstance(transform, InferencerLoader):
                transform.from_file = LoadPhotograph()
        return pipeline

    DetInferencer._init_pipeline = build


def train_on_cpu_processes(cfg: Config) -> None:
    """Let torchrun's processes train on a machine without GPU.

    mmengine's ``init_dist`` and ``Runner`` pick a CUDA device for each process whatever the
    backend. A process group that is there already is left alone, and so is a wrapper that the
    config describes. Unnecessary once mmengine asks ``torch.cuda.is_available()`` first.

    Args:
        cfg: Of the run; is changed.
    """
    import torch

    if torch.cuda.is_available():
        return
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    wrapper = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    cfg.setdefault('model_wrapper_cfg', wrapper)


class _MissingOperators(ModuleType):
    """A module in which every operator that was not provided is there, and says so when called."""

    def __getattr__(self, name: str) -> object:
        if name.startswith('__'):
            raise AttributeError(name)

        def missing(*_args: object, **_kwargs: object) -> None:
            raise NotImplementedError(
                f'mmcv operator {name!r} is not provided by mmdet_cleargrasp, which stands in for '
                'the operators that Faster R-CNN and RetinaNet use. Install a compiled mmcv 2.1.0 '
                '(pip uninstall -y mmcv-lite && pip install mmcv==2.1.0, which needs a compiler) '
                'to use it.'
            )

        return missing


def _extension_module(operators: ModuleType) -> ModuleType:
    module = _MissingOperators('mmcv._ext', doc=operators.__doc__)
    # mmcv looks for the extension through its spec, which has to have a loader.
    module.__spec__ = ModuleSpec('mmcv._ext', loader=operators.__spec__.loader)
    for name in operators.__all__:
        setattr(module, name, getattr(operators, name))
    return module
