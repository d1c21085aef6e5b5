import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from plate_renderer.output import dataset
from plate_renderer.output.contact_sheet import contact_sheet, read_exr
from plate_renderer.output.ground_truth import DEPTH_BOUNDARY, bounding_box
from plate_renderer.scene.placement import PlacementError
from plate_renderer.scene.spec import Spec, SpecError, parse_spec

from ..renderer import skip_without_renderer

skip_without_renderer()


def tiny(seed: int = 2, layout: str = 'full', images: int = 2) -> Spec:
    return parse_spec(
        {
            'name': 'tiny',
            'seed': seed,
            'ground_truth': layout,
            'image': {'width': 96, 'height': 72, 'samples': 2, 'depth': 8},
            'plates': {'petri_sizes': {60: 1}, 'square_sizes': {100: 1}, 'wells': {6: 1}},
            'scene': {'arrangements': {'scatter': 1}, 'plates': [2, 3], 'distractors': [1, 1]},
            'splits': {'train': {'images': images}},
        }
    )


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@pytest.fixture(scope='module')
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('tiny')
    assert dataset.write_dataset(tiny(), folder) == []
    return folder


def test_files_are_in_the_layout_of_cleargrasp(rendered: Path) -> None:
    names = {str(p.relative_to(rendered)) for p in rendered.rglob('*.*') if 'records' not in str(p)}
    expected = {'annotations/train.json'}
    for k in range(2):
        expected |= {
            f'train/rgb-imgs/{k:09d}-rgb.jpg',
            f'train/segmentation-masks/{k:09d}-segmentation-mask.png',
            f'train/outlines/{k:09d}-outlineSegmentation.png',
            f'train/camera-normals/{k:09d}-cameraNormals.exr',
            f'train/depth-imgs-rectified/{k:09d}-depth-rectified.exr',
        }
    assert names == expected


def test_files_do_not_depend_on_the_number_of_processes(rendered: Path, tmp_path: Path) -> None:
    assert dataset.write_dataset(tiny(), tmp_path, processes=2) == []
    assert hashes(tmp_path) == hashes(rendered)


def test_another_seed_gives_other_images(rendered: Path, tmp_path: Path) -> None:
    dataset.write_dataset(tiny(seed=3, layout='boxes', images=1), tmp_path)
    other = (tmp_path / 'train' / '000000.jpg').read_bytes()
    assert other != (rendered / 'train/rgb-imgs/000000000-rgb.jpg').read_bytes()


def test_pycocotools_reads_the_annotations(rendered: Path) -> None:
    coco = COCO(str(rendered / 'annotations' / 'train.json'))
    assert [c['name'] for c in coco.loadCats([1, 2, 3])] == [
        'petri_dish', 'square_dish', 'multiwell_plate',
    ]  # fmt: skip
    assert len(coco.imgs) == 2 and len(coco.anns) >= 4
    assert coco.dataset['info']['seed'] == 2
    for annotation in coco.anns.values():
        mask = coco.annToMask(annotation)
        assert mask.sum() == annotation['area']
        assert bounding_box(mask) == tuple(annotation['bbox'])
        assert 0 <= annotation['occluded_fraction'] < 1
        x, y, w, h = annotation['bbox']
        ax, ay, aw, ah = annotation['amodal_bbox']
        assert ax <= x + 1 and ay <= y + 1 and ax + aw >= x + w - 1 and ay + ah >= y + h - 1


def test_masks_are_disjoint_and_inside_the_transparent_mask(rendered: Path) -> None:
    coco = COCO(str(rendered / 'annotations' / 'train.json'))
    for image in coco.imgs.values():
        masks = [coco.annToMask(a) for a in coco.loadAnns(coco.getAnnIds(image['id']))]
        name = image['file_name'].replace('-rgb.jpg', '-segmentation-mask.png')
        path = rendered / 'train' / 'segmentation-masks' / name
        clear = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert set(np.unique(clear)) <= {0, 255}
        assert np.sum(masks, axis=0).max() == 1
        assert (clear[np.sum(masks, axis=0) > 0] == 255).all()


def test_normals_are_of_unit_length_and_face_the_camera(rendered: Path) -> None:
    normals = read_exr(rendered / 'train' / 'camera-normals' / '000000000-cameraNormals.exr')
    length = np.linalg.norm(normals, axis=-1)
    assert normals.shape == (72, 96, 3)
    np.testing.assert_allclose(length[length > 0], 1, atol=2e-3)
    # They face the camera along their own ray, so z may be slightly negative.
    assert (length > 0).mean() > 0.9
    assert normals[..., 2][length > 0].min() > -0.6


def test_outlines_agree_with_depth_jumps(rendered: Path) -> None:
    outlines = cv2.imread(
        str(rendered / 'train/outlines/000000000-outlineSegmentation.png'), cv2.IMREAD_GRAYSCALE
    )
    depth = 1000 * read_exr(
        rendered / 'train/depth-imgs-rectified/000000000-depth-rectified.exr'
    )[..., 0]  # fmt: skip
    assert set(np.unique(outlines)) <= {0, 1, 2}
    spread = cv2.dilate(depth, np.ones((3, 3))) - cv2.erode(depth, np.ones((3, 3)))
    assert (outlines == DEPTH_BOUNDARY).any()
    assert np.median(spread[outlines == DEPTH_BOUNDARY]) > 3 * np.median(spread[outlines == 0])
    assert spread[outlines == DEPTH_BOUNDARY].min() > 0.5


def test_an_interrupted_run_renders_the_missing_images(rendered: Path, tmp_path: Path) -> None:
    spec = tiny()
    dataset.write_dataset(spec, tmp_path)
    kept = tmp_path / 'train/rgb-imgs/000000000-rgb.jpg'
    before = kept.stat().st_mtime_ns
    (tmp_path / 'records/train/000001.json').unlink()
    steps = []
    dataset.write_dataset(spec, tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 2), (2, 2)]
    assert kept.stat().st_mtime_ns == before
    assert hashes(tmp_path) == hashes(rendered)


def test_a_failed_scene_is_reported_and_writes_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = dataset.render

    def flaky(spec: Spec, split: str, index: int, variant: str) -> object:
        if index == 0:
            raise PlacementError('no room for a plate')
        return render(spec, split, index, variant)

    monkeypatch.setattr(dataset, 'render', flaky)
    failures = dataset.write_dataset(tiny(layout='boxes'), tmp_path)
    assert failures == [dataset.Failure('train', 0, 'no room for a plate')]
    assert [p.name for p in (tmp_path / 'train').iterdir()] == ['000001.jpg']
    content = json.loads((tmp_path / 'annotations/train.json').read_text())
    assert [image['file_name'] for image in content['images']] == ['000001.jpg']


def test_an_interrupted_run_writes_annotations_of_finished_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = dataset.render

    def stopped(spec: Spec, split: str, index: int, variant: str) -> object:
        if index == 1:
            raise KeyboardInterrupt
        return render(spec, split, index, variant)

    monkeypatch.setattr(dataset, 'render', stopped)
    with pytest.raises(KeyboardInterrupt):
        dataset.write_dataset(tiny(layout='boxes', images=3), tmp_path)
    content = json.loads((tmp_path / 'annotations/train.json').read_text())
    assert [image['file_name'] for image in content['images']] == ['000000.jpg']


def test_loose_lids_are_annotated_as_crowds(tmp_path: Path) -> None:
    spec = parse_spec(
        {
            'name': 'lids',
            'seed': 4,
            'ground_truth': 'boxes',
            'image': {'width': 96, 'height': 72, 'samples': 1, 'depth': 4, 'sliver': 0.2},
            'plates': {
                'classes': {'petri_dish': 1},
                'petri_sizes': {60: 1},
                'growth': {'empty': 1},
                'lid': 0,
                'loose_lid': 1,
            },
            'scene': {'arrangements': {'single': 1}, 'distractors': [0, 0]},
            'camera': {'top_view': 1, 'fill': [0.3, 0.3], 'shift': 0},
            'splits': {'train': {'images': 2}},
        }
    )
    assert dataset.write_dataset(spec, tmp_path) == []
    content = json.loads((tmp_path / 'annotations/train.json').read_text())
    for image in content['images']:
        found = [a for a in content['annotations'] if a['image_id'] == image['id']]
        assert sorted((a['iscrowd'], a['label'].split(',')[0]) for a in found) == [
            (0, 'petri 60x15'),
            (1, 'loose lid'),
        ]


def test_folders_of_other_specs_are_refused(rendered: Path) -> None:
    with pytest.raises(SpecError, match='render into another folder'):
        dataset.write_dataset(tiny(seed=9), rendered)


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / 'deep' / 'file.bin'
    dataset.write_atomically(target, b'first')
    with pytest.raises(TypeError):
        dataset.write_atomically(target, 'not bytes')
    assert target.read_bytes() == b'first'
    assert [path.name for path in target.parent.iterdir()] == ['file.bin']


def test_contact_sheet_shows_annotations_normals_and_outlines(rendered: Path) -> None:
    drawn = contact_sheet(rendered, ['train'], 2, columns=1, width=96)
    plain = contact_sheet(rendered, ['train'], 2, columns=1, width=96, plain=True)
    assert drawn.shape == (144, 3 * 96, 3) and plain.shape == (144, 96, 3)
    assert (drawn[:, :96] != plain).any()
    content = json.loads((rendered / 'annotations/train.json').read_text())
    mask = coco_mask.decode(content['annotations'][0]['segmentation'])
    assert mask.shape == (72, 96)
