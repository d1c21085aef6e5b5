"""Damaged data sets of every format, converted by ``to_coco.py``."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from mmdet_cleargrasp.cli.to_coco import main
from mmdet_cleargrasp.datasets.toy_plates import write_toy_plates
from mmdet_cleargrasp.utils.json_files import read_json_object
from tests.conversion.sources import CASES

from .mutations import change
from .runs import Case, Found

OPTIONS = (
    [],
    [],
    ['--unannotated', 'negative'],
    ['--drawn-on', 'stored'],
    ['--resplit'],
    ['--link'],
)
IMAGE_SUFFIXES = ('.jpg', '.png')


def make_case(folder: Path) -> Case:
    """Write a small data set in every format; the cases change copies of them.

    Args:
        folder: For the data sets.
    """
    plates = write_toy_plates(folder / 'plates', train=2, val=1, size=48)
    sources = []
    for number, (_, write) in enumerate(CASES):
        source = folder / f'source_{number}'
        write(plates, source)
        sources.append(source)

    def case(rng: random.Random, work: Path) -> str:
        return convert_changed(rng.choice(sources), work / 'annotations', rng)

    return case


def convert_changed(source: Path, work: Path, rng: random.Random) -> str:
    """Change one file of a copy of a data set, convert it and check the outcome."""
    shutil.rmtree(work, ignore_errors=True)
    src, out = work / 'src', work / 'out'
    shutil.copytree(source, src, copy_function=os.link)
    files = [path for path in sorted(src.rglob('*')) if path.is_file()]
    texts = [path for path in files if path.suffix not in IMAGE_SUFFIXES]
    if rng.random() < 0.9:
        path = rng.choice(texts)
        content = change(path.read_bytes(), path.name, rng)
        path.unlink()  # a hard link to the source
        path.write_bytes(content)
    else:
        rng.choice(FILE_CHANGES)(rng.choice(files))
    arguments = [str(src), str(out), *rng.choice(OPTIONS)]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = main(arguments)
    check(work, status, printed.getvalue())
    return f'{source.name} status {status}'


def check(work: Path, status: int, printed: str) -> None:
    """One message and nothing on disk, or a whole data set; nothing else in either case."""
    if 'Traceback' in printed or status not in (0, 1, 3):
        raise Found(f'status {status}: {printed[-500:]}')
    left = {path.name for path in work.iterdir()} - {'src'}
    if status == 1:
        if left or printed.count('\nerror: ') != 1:
            raise Found(f'status 1 with {left}: {printed[-500:]}')
        return
    if left != {'out'}:
        raise Found(f'status {status} with {left}')
    read_json_object(work / 'out' / 'conversion.json')
    for file in (work / 'out' / 'annotations').glob('*.json'):
        check_annotations(file)


def check_annotations(file: Path) -> None:
    """Every box of a converted file lies in an image that is there."""
    coco = json.loads(file.read_text(encoding='utf-8'))
    sizes = {image['id']: (image['width'], image['height']) for image in coco['images']}
    for image in coco['images']:
        if not (file.parents[1] / file.stem / image['file_name']).is_file():
            raise Found(f'{image["file_name"]} is not there')
    for annotation in coco['annotations']:
        x, y, width, height = annotation['bbox']
        across, down = sizes[annotation['image_id']]
        right, bottom = x + width - across, y + height - down
        if min(width, height) <= 0 or min(x, y) < -0.01 or max(right, bottom) > 0.01:
            raise Found(f'box {annotation["bbox"]} in an image of {across} x {down}')


def _replaced(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


#: What can be at the place of a file.
FILE_CHANGES: tuple[Callable[[Path], object], ...] = (
    _replaced(lambda path: path.write_bytes(b'')),
    _replaced(Path.mkdir),
    _replaced(os.mkfifo),
    _replaced(lambda path: path.symlink_to(path)),
    _replaced(lambda path: path.symlink_to('/dev/zero')),
    _replaced(lambda path: path.symlink_to('/etc/hostname')),
    _replaced(lambda path: None),
    lambda path: path.rename(path.with_name('\udce4' + path.name)),
    lambda path: path.rename(path.with_name('x' * 200 + path.suffix)),
    lambda path: path.rename(path.with_name('a b%20#;=1' + path.suffix)),
)
