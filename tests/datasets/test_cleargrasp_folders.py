"""ClearGrasp's folders are found as the renderer writes them and as ClearGrasp released them."""

import pytest

from mmdet_cleargrasp.datasets.cleargrasp_folders import find_samples
from mmdet_cleargrasp.utils.errors import DataError


def write(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_folders_of_the_renderer(tmp_path):
    write(
        tmp_path, 'rgb-imgs/000000001-rgb.jpg', 'rgb-imgs/000000000-rgb.jpg', 'rgb-imgs/notes.txt'
    )
    write(tmp_path, *(f'outlines/00000000{k}-outlineSegmentation.png' for k in range(2)))
    samples = find_samples(tmp_path, ['outlines'])
    assert [s['rgb'].name for s in samples] == ['000000000-rgb.jpg', '000000001-rgb.jpg']
    assert samples[1]['outlines'].name == '000000001-outlineSegmentation.png'


def test_release_has_a_folder_an_object_and_other_endings(tmp_path):
    for thing in ('cup', 'flower'):
        write(
            tmp_path / thing, 'rgb-imgs/0-transparent-rgb-img.jpg', 'segmentation-masks/0-mask.png'
        )
        write(tmp_path / thing, 'camera-normals/0-normals.exr')
    samples = find_samples(tmp_path, ['mask', 'normals'])
    assert [s['mask'].parent.parent.name for s in samples] == ['cup', 'flower']
    assert samples[0]['normals'].name == '0-normals.exr'


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        ([], 'holds no rgb-imgs'),
        (['rgb-imgs/0.png'], 'holds no rgb-imgs'),
        (['rgb-imgs/0-rgb.jpg', 'rgb-imgs/1-rgb.jpg', 'segmentation-masks/1-mask.png'], '1 of 2 images have no mask .*0-segmentation-mask.png'),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(tmp_path, names, message):
    write(tmp_path, *names)
    with pytest.raises(DataError, match=message):
        find_samples(tmp_path, ['mask'])
