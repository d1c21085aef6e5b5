"""Images with masks, outlines and normals, from the renderer or from ClearGrasp's own release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.registry import DATASETS
from mmengine.dataset import BaseDataset

from ..datasets.cleargrasp_folders import find_samples


@DATASETS.register_module()
class ClearGraspDataset(BaseDataset):
    """The samples below one or several folders in ClearGrasp's layout.

    Args:
        folders: See :func:`.find_samples`.
        tasks: Which ground truth is read, of ``'mask'``, ``'outlines'`` and
            ``'normals'``.
        **kwargs: As in mmengine's ``BaseDataset``, such as ``pipeline`` and ``indices``.

    Raises:
        DataError: When it is built, and before anything is trained: missing folders or files.
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
        """List the samples: file paths by kind, as strings."""
        samples = [s for folder in self.folders for s in find_samples(folder, self.tasks)]
        return [{'files': {kind: str(path) for kind, path in s.items()}} for s in samples]
