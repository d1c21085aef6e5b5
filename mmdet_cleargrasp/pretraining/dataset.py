"""Dataset of images with masks, outlines and normals in ClearGrasp's folder layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.registry import DATASETS
from mmengine.dataset import BaseDataset

from ..datasets.cleargrasp_folders import find_samples


@DATASETS.register_module()
class ClearGraspDataset(BaseDataset):
    """Images with ground truth from one or several folders in ClearGrasp's layout.

    ``tools/render_plates.py`` and ClearGrasp's own release write this layout.

    Args:
        folders: Folder or folders that are searched for samples, see :func:`.find_samples`.
        tasks: Ground truth to read: some of ``'mask'``, ``'outlines'`` and ``'normals'``.
        **kwargs: Arguments of mmengine's ``BaseDataset``, such as ``pipeline`` and ``indices``.

    Raises:
        DataError: When the dataset is built, if folders or files are missing.

    Example:
        >>> train_dataloader = dict(
        ...     dataset=dict(
        ...         type='ClearGraspDataset',
        ...         folders=['data/renders/train'],
        ...         tasks=('mask', 'normals'),
        ...         pipeline=[dict(type='LoadClearGraspSample'), dict(type='PackSample')]))
        >>> dataset = DATASETS.build(train_dataloader['dataset'])  # doctest: +SKIP
        >>> sorted(dataset[0])  # doctest: +SKIP
        ['inputs', 'mask', 'normals', 'path']
    """

    METAINFO = dict(dataset_type='cleargrasp')

    def __init__(
        self,
        folders: str | Sequence[str],
        tasks: Sequence[str] = ('mask', 'outlines', 'normals'),
        **kwargs: Any,
    ) -> None:
        self.folders = [folders] if isinstance(folders, str) else list(folders)
        self.tasks = tuple(tasks)
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the samples.

        Returns:
            One dict per sample with ``files``: paths by kind (``'rgb'`` and the tasks).
        """
        samples = [s for folder in self.folders for s in find_samples(folder, self.tasks)]
        return [{'files': {kind: str(path) for kind, path in s.items()}} for s in samples]
