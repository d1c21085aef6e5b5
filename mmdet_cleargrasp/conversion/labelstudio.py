"""Label Studio's own JSON: tasks with annotations and predictions."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

from .boxes import Box
from .files import UnreadableFile, readable
from .folder import Folder, NotFound
from .labels import FAULTS, Labels, NoOutline, annotated_size
from .source import Source

TITLE = "Label Studio's JSON of tasks"

#: Shapes without area.
NO_OUTLINE = ('keypoint', 'keypointlabels', 'vector', 'vectorlabels')
#: Results without a shape: class names for another result's shape, and labels of whole images.
NO_SHAPES = (
    'labels',
    'choices',
    'textarea',
    'rating',
    'number',
    'taxonomy',
    'relation',
    'datetime',
)
#: How many files are looked at to recognize the format.
LOOKED_AT = 20


def recognize(folder: Folder) -> bool:
    """Whether one of the first JSON files is a list of tasks."""
    files = folder.with_suffix('.json')[:LOOKED_AT]
    return any(_is_tasks(readable(folder.read_json, path)) for path in files)


def read(folder: Folder) -> Source:
    """Read images and boxes of the annotations, or of the predictions if there are none."""
    source = Source(folder)
    for path in folder.with_suffix('.json'):
        try:
            tasks = folder.read_json(path)
        except UnreadableFile as error:
            source.skip_unreadable(path, str(error))
            continue
        if _is_tasks(tasks):
            _read_file(source, path, [task for task in tasks if isinstance(task, dict)])
        else:
            source.skip_foreign(path, 'no list of tasks with annotations or predictions')
    return source


def _read_file(source: Source, path: Path, tasks: list[dict[str, Any]]) -> None:
    annotated = any(_submitted(task) for task in tasks)
    if not annotated:
        source.notes.append(
            f'{source.folder.name(path)} has predictions only, no submitted annotation: the '
            'predictions were read'
        )
    for number, task in enumerate(tasks, 1):
        answers = _submitted(task) if annotated else _listed(task, 'predictions')
        if not answers:
            continue  # its image is reported as unannotated
        try:
            image = source.folder.find_image(_image_name(task), path)
        except NotFound as error:
            source.skip_orphan(path, error.reason, f'task {number}: {error.detail}')
            continue
        if len(answers) > 1:
            source.notes.append('a task was annotated several times: the last one was taken')
        source.add(image, _labels(path, number, answers[-1]))


def _is_tasks(content: Any) -> bool:
    return isinstance(content, list) and any(
        isinstance(task, dict)
        and isinstance(task.get('data'), dict)
        and any(isinstance(task.get(key), list) for key in ('annotations', 'predictions'))
        for task in content
    )


def _submitted(task: dict[str, Any]) -> list[Any]:
    found = _listed(task, 'annotations')
    return [a for a in found if not (isinstance(a, dict) and a.get('was_cancelled'))]


def _listed(task: dict[str, Any], key: str) -> list[Any]:
    found = task.get(key)
    return found if isinstance(found, list) else []


def _image_name(task: dict[str, Any]) -> str:
    """The image's URL, which is in a field of any name."""
    data = task.get('data')
    fields = data if isinstance(data, dict) else {}
    texts = [value for value in fields.values() if isinstance(value, str)]
    return str(fields.get('image') or next(iter(texts), ''))


def _labels(path: Path, number: int, answer: Any) -> Labels:
    results = answer.get('result') if isinstance(answer, dict) else None
    if not isinstance(results, list):
        labels = Labels(path)
        labels.unread.append((f'task {number}', 'no list "result"'))
        return labels
    shapes = [r for r in results if not (isinstance(r, dict) and r.get('type') in NO_SHAPES)]
    first = next((r for r in shapes if isinstance(r, dict)), {})
    labels = Labels(path, annotated_size(first.get('original_width'), first.get('original_height')))
    names: dict[str, str] = {}
    for result in results:
        with suppress(*FAULTS):  # a shape whose name is missing is not read
            if result['type'] == 'labels':
                names[str(result['id'])] = str(result['value']['labels'][0])
    for place, shape in enumerate(shapes, 1):
        labels.read(f'task {number}, result {place}', lambda s: _box(s, names), shape)
    return labels


def _box(shape: dict[str, Any], names: dict[str, str]) -> Box:
    kind, value = shape['type'], shape['value']
    if kind in NO_OUTLINE:
        raise NoOutline(f'a {kind}, which has no area')
    if shape.get('image_rotation'):
        raise ValueError('an image that was rotated in Label Studio')
    label = str((value.get(kind) or [names.get(str(shape.get('id')), '')])[0])
    width, height = float(shape['original_width']) / 100, float(shape['original_height']) / 100
    turn = math.radians(float(value.get('rotation') or 0))
    if kind.startswith('rectangle'):
        # Rotated clockwise about the upper left corner.
        left, top = float(value['x']) * width, float(value['y']) * height
        across, down = float(value['width']) * width, float(value['height']) * height
        corners = ((0.0, 0.0), (across, 0.0), (across, down), (0.0, down))
        cos, sin = math.cos(turn), math.sin(turn)
        return Box.around(
            label, [(left + x * cos - y * sin, top + x * sin + y * cos) for x, y in corners]
        )
    if kind.startswith('ellipse'):
        x, y = float(value['x']) * width, float(value['y']) * height
        rx, ry = float(value['radiusX']) * width, float(value['radiusY']) * height
        half_w = math.hypot(rx * math.cos(turn), ry * math.sin(turn))
        half_h = math.hypot(rx * math.sin(turn), ry * math.cos(turn))
        return Box(label, x - half_w, y - half_h, x + half_w, y + half_h)
    if kind.startswith('polygon'):
        return Box.around(
            label, [(float(x) * width, float(y) * height) for x, y in value['points']]
        )
    raise ValueError(f'a result of the type {kind}, which is not read: export as COCO instead')
