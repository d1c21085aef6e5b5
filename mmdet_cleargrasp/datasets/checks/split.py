"""Checks of one split: its annotations, and its images on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ...utils.findings import Finding, ok
from ..annotations import CocoFile, read_coco
from .boxes import check_boxes
from .categories import check_categories, check_ids
from .images import check_images

#: How many classes the summary counts one by one.
MOST_NAMED = 20


def check_split(
    name: str, ann_file: str | Path, img_dir: str | Path, classes: Sequence[str]
) -> list[Finding]:
    """Compare an annotation file with the configured classes and the images on disk.

    Args:
        name: What the findings call it, such as ``'train data'``.
        ann_file: The COCO file.
        img_dir: The folder of its images.
        classes: The configured class names.

    Returns:
        Errors and warnings, or one finding that counts what is there.

    Raises:
        DataError: The file cannot be read as COCO.
    """
    coco = read_coco(ann_file)
    findings = [
        *check_ids(coco),
        *check_categories(coco, classes),
        *check_boxes(coco),
        *check_images(coco, Path(img_dir)),
    ]
    if not any(finding.level == 'error' for finding in findings):
        findings.insert(0, ok(name, _summary(coco)))
    return [Finding(finding.level, name, finding.text) for finding in findings]


def _summary(coco: CocoFile) -> str:
    names = {category['id']: category['name'] for category in coco.categories}
    boxes = Counter(names.get(a['category_id']) for a in coco.annotations)
    counts = ', '.join(f'{name} {boxes[name]}' for name in coco.classes[:MOST_NAMED])
    if len(coco.classes) > MOST_NAMED:
        counts += f' and {len(coco.classes) - MOST_NAMED} more classes'
    return f'{len(coco.images)} images, {len(coco.annotations)} boxes ({counts})'
