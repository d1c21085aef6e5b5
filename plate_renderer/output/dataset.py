"""Rendering of datasets: images, ground truth and COCO annotations, in parallel and resumable.

The last file that is written for an image is its record in `records/`: an image with a record is
complete. Annotation files are made from the records.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from ..objects.plates import CATEGORIES
from ..scene.placement import PlacementError
from ..scene.spec import Spec
from ..scene.yaml_values import SpecError
from . import ground_truth
from .files import KINDS, write_atomically
from .pathtracer import fastest_variant, load_mitsuba
from .rendering import Rendered, render

LICENSE = {'id': 1, 'name': 'Apache-2.0', 'url': 'https://www.apache.org/licenses/LICENSE-2.0'}


SAVE_EVERY = 100
"""Number of images after which annotation files are updated."""


@dataclass(frozen=True)
class Failure:
    """An image that could not be rendered.

    Args:
        split: Name of the split.
        index: Index of the image in the split.
        reason: Error message.
    """

    split: str
    index: int
    reason: str


@dataclass(frozen=True)
class Task:
    """An image to render, for a worker process.

    Args:
        spec: Spec of the dataset.
        folder: Folder of the dataset.
        split: Name of the split.
        index: Index of the image in the split.
        variant: Mitsuba's variant.
        threads: Number of Mitsuba's threads.
    """

    spec: Spec
    folder: Path
    split: str
    index: int
    variant: str
    threads: int


def write_dataset(
    spec: Spec,
    folder: str | Path,
    processes: int = 1,
    variant: str = 'scalar_rgb',
    command: str = '',
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Failure]:
    """Render the missing images of a dataset and write its annotations.

    Args:
        spec: Spec of the dataset.
        folder: Folder of the dataset, created if missing. Images of the same spec are kept.
        processes: Number of images that are rendered at the same time; they share the cores.
        variant: Mitsuba's variant, or `auto` for the fastest that works on this machine.
        command: Command line, which is saved in the annotations.
        progress: Called with the number of finished images and the total, at the start and after
            every image.

    Returns:
        Images that failed; they have no annotations.

    Raises:
        SpecError: If the folder contains images of another spec or variant.
        MissingRendererError: If Mitsuba is not installed.
    """
    folder = Path(folder)
    load_mitsuba()
    if variant == 'auto':
        variant = fastest_variant()
    _claim(spec, folder, variant)
    wanted = [(split, k) for split, part in spec.splits.items() for k in range(part.images)]
    missing = [(split, k) for split, k in wanted if not _record(folder, split, k).exists()]
    progress(len(wanted) - len(missing), len(wanted))
    # Mitsuba's OpenEXR writer hangs with a single thread.
    threads = max(2, (os.cpu_count() or 1) // processes)
    tasks = [Task(spec, folder, split, k, variant, threads) for split, k in missing]
    failures: list[Failure] = []
    try:
        for done, failure in enumerate(_run(tasks, processes), len(wanted) - len(missing) + 1):
            progress(done, len(wanted))
            failures += [failure] if failure else []
            if done % SAVE_EVERY == 0:
                _write_annotations(spec, folder, variant, command)
    finally:
        # After an interruption, too, the finished images are a valid dataset.
        _write_annotations(spec, folder, variant, command)
    return failures


def _write_annotations(spec: Spec, folder: Path, variant: str, command: str) -> None:
    """Write the annotation files of all finished images."""
    for split in spec.splits:
        content = coco(spec, folder, split, variant, command)
        path = folder / 'annotations' / f'{split}.json'
        write_atomically(path, json.dumps(content).encode() + b'\n')


def image_folder(spec: Spec, folder: str | Path, split: str) -> Path:
    """Folder of a split's JPEG files, to which `file_name` in its annotations is relative.

    Args:
        spec: Spec of the dataset.
        folder: Folder of the dataset.
        split: Name of the split.
    """
    place = Path(folder) / split
    return place / KINDS['rgb'].folder if spec.ground_truth == 'full' else place


def image_name(spec: Spec, index: int) -> str:
    """File name of an image, by its index in the split."""
    return f'{index:09d}-rgb.jpg' if spec.ground_truth == 'full' else f'{index:06d}.jpg'


def coco(spec: Spec, folder: Path, split: str, variant: str, command: str) -> dict[str, Any]:
    """Convert the records of a split to COCO annotations.

    Args:
        spec: Spec of the dataset.
        folder: Folder of the dataset.
        split: Name of the split.
        variant: Mitsuba's variant, for `info`.
        command: Command line, for `info`.

    Returns:
        Content of a COCO file, whose annotations have `amodal_bbox`, `occluded_fraction` and
        `label` in addition.
    """
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for index in range(spec.splits[split].images):
        path = _record(folder, split, index)
        if not path.exists():
            continue
        record = _read_json(path)
        images.append({'id': index + 1, 'license': LICENSE['id'], **record['image']})
        for box in record['annotations']:
            boxes.append({'id': len(boxes) + 1, 'image_id': index + 1, **box})
    return {
        'info': {
            'description': f'{spec.name}: rendered transparent plates, split {split}',
            'spec': spec.name,
            'seed': spec.seed,
            'variant': variant,
            'command': command,
            'license': LICENSE['name'],
        },
        'licenses': [LICENSE],
        'categories': [
            {'id': k, 'name': name, 'supercategory': 'plate'}
            for k, name in enumerate(CATEGORIES, 1)
        ],
        'images': images,
        'annotations': boxes,
    }


def write_image(rendered: Rendered, spec: Spec, folder: Path, split: str, index: int) -> None:
    """Write an image, its ground truth and, last, its record.

    Args:
        rendered: Image with ground truth.
        spec: Spec of the dataset.
        folder: Folder of the dataset.
        split: Name of the split.
        index: Index of the image in the split.
    """
    name = image_name(spec, index)
    write_atomically(image_folder(spec, folder, split) / name, rendered.photo)
    if spec.ground_truth == 'full':
        files = {
            'mask': png(255 * rendered.transparent.astype(np.uint8)),
            'outlines': png(rendered.outlines),
            'normals': exr(rendered.normals),
            # ClearGrasp's depth is in meters.
            'depth': exr(rendered.depth[..., None] / 1000),
        }
        for kind, content in files.items():
            write_atomically(KINDS[kind].path(folder / split, index), content)
    record = {
        'image': {
            'file_name': name,
            'width': spec.image.width,
            'height': spec.image.height,
            'contents': rendered.contents,
        },
        'annotations': [
            {
                'category_id': CATEGORIES.index(instance.category) + 1,
                'bbox': ground_truth.bounding_box(instance.mask),
                'area': int(instance.mask.sum()),
                'segmentation': ground_truth.run_length(instance.mask),
                'iscrowd': int(instance.crowd),
                'amodal_bbox': instance.amodal_box,
                'occluded_fraction': round(instance.occluded_fraction, 4),
                'label': instance.label,
            }
            for instance in rendered.instances
        ],
    }
    write_atomically(_record(folder, split, index), json.dumps(record).encode())


def png(image: np.ndarray) -> bytes:
    """Encode a uint8 image of shape (h, w) as PNG."""
    _, data = cv2.imencode('.png', image)
    return data.tobytes()


def exr(image: np.ndarray) -> bytes:
    """Encode a float image of shape (h, w, 1) or (h, w, 3) as OpenEXR in half precision."""
    mitsuba = load_mitsuba()
    stream = mitsuba.MemoryStream()
    bitmap = mitsuba.Bitmap(np.ascontiguousarray(image, np.float32))
    half = bitmap.convert(component_format=mitsuba.Struct.Type.Float16, srgb_gamma=False)
    half.write(stream, mitsuba.Bitmap.FileFormat.OpenEXR)
    return stream.raw_buffer()


def _run(tasks: list[Task], processes: int) -> Iterator[Failure | None]:
    """Render images, yielding a failure or None for each as soon as it is finished."""
    if processes == 1:
        yield from map(_render_task, tasks)
        return
    # Spawned, not forked: Mitsuba's threads do not survive a fork.
    context = multiprocessing.get_context('spawn')
    pool = ProcessPoolExecutor(processes, context, initializer=_end_with_parent)
    try:
        with _main_hidden():
            futures: list[Future] = [pool.submit(_render_task, task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()
    finally:
        # After an interruption, images that are being rendered are finished, no more are started.
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Exit a worker when its parent was killed, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep worker processes that are started meanwhile from importing the main module.

    They do not need it, and importing it may be slow, for example if it loads PyTorch.
    """
    main = sys.modules['__main__']
    sys.modules['__main__'] = ModuleType('__main__')
    try:
        yield
    finally:
        sys.modules['__main__'] = main


def _render_task(task: Task) -> Failure | None:
    """Render and write one image; errors of its scene are returned instead of raised."""
    load_mitsuba(task.variant)
    importlib.import_module('drjit').set_thread_count(task.threads)
    try:
        rendered = render(task.spec, task.split, task.index, task.variant)
    except (PlacementError, ValueError, RuntimeError) as error:
        return Failure(task.split, task.index, str(error))
    write_image(rendered, task.spec, task.folder, task.split, task.index)
    return None


def _record(folder: Path, split: str, index: int) -> Path:
    return folder / 'records' / split / f'{index:06d}.json'


def _read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of `records/`; raises `SpecError` if it is damaged."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise SpecError(
            f'{path} is damaged ({error}): remove it to render its image again'
        ) from error
    if not isinstance(content, dict):
        raise SpecError(f'{path} is damaged: remove it to render its image again')
    return content


def _claim(spec: Spec, folder: Path, variant: str) -> None:
    """Save the spec's digest in a folder; refuse a folder of another spec or variant."""
    mark = folder / 'records' / 'spec.json'
    content = {'name': spec.name, 'digest': spec.digest, 'variant': variant}
    if mark.exists():
        found = _read_json(mark)
        if found != content:
            raise SpecError(
                f'{folder} contains images of the spec {found.get("name")} ({found.get("digest")}, '
                f'{found.get("variant")}), not of {spec.name} ({spec.digest}, {variant}): '
                f'render into another folder or remove this one'
            )
    write_atomically(mark, json.dumps(content).encode())
