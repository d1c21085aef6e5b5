import os

import cv2
import mmcv
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmdet.apis import DetInferencer
from mmdet.registry import DATASETS, TRANSFORMS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmdet_cleargrasp.datasets.images import read_image
from mmdet_cleargrasp.datasets.loading import LoadPhotograph, load_photographs
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.inference import PlateDetector
from mmdet_cleargrasp.inference.detector import find_run
from mmdet_cleargrasp.utils.config_paths import config_dir
from mmdet_cleargrasp.utils.errors import DataError
from tests.datasets.test_images import COLORS, near

GRAY = np.asarray(Image.fromarray(COLORS).convert('L'))


def load(path, **options):
    return TRANSFORMS.build(dict(type='LoadPhotograph', **options))({'img_path': str(path)})


def test_jpeg_is_pixel_equal_to_mmcv_s_transform(toy_plates):
    files = sorted(toy_plates.rglob('*.jpg'))
    for path in files:
        expected = LoadImageFromFile()({'img_path': str(path)})
        found = load(path)
        assert np.array_equal(found.pop('img'), expected.pop('img'))
        assert found == expected
    assert len(files) == 9


@pytest.mark.parametrize('bits', [10, 12, 14, 16])
def test_scans_of_more_than_8_bits_keep_their_range(bits, tmp_path):
    path = tmp_path / 'scan.tif'
    largest = 2**bits - 1
    values = (GRAY.astype(float) / GRAY.max() * largest).round().astype('u2')
    Image.fromarray(values).save(path)
    image = load(path)['img']
    assert image.max() == 255  # LoadImageFromFile: 15 of 12 bits
    near(image, np.repeat((GRAY * (255 / GRAY.max())).round().astype('u1')[..., None], 3, 2), 1)


@pytest.mark.parametrize('name', ['turned.jpg', 'alpha.png', 'cmyk.jpg', 'palette.png', 'deep.tif'])
def test_training_and_python_read_the_same(name, tmp_path):
    path, image, exif = tmp_path / name, Image.fromarray(COLORS), Image.Exif()
    if name == 'turned.jpg':
        exif[0x0112] = 8
    if name == 'alpha.png':
        image.putalpha(90)
    if name == 'cmyk.jpg':
        image = image.convert('CMYK')
    if name == 'palette.png':
        image = image.quantize(8)
    if name == 'deep.tif':
        cv2.imwrite(str(path), COLORS.astype('u2') * 16)
    else:
        image.save(path, exif=exif)
    found = load(path)
    assert np.array_equal(found['img'][..., ::-1], read_image(path))
    assert found['img_shape'] == found['ori_shape'] == read_image(path).shape[:2]


def test_options(tmp_path):
    Image.fromarray(COLORS).save(tmp_path / 'x.png')
    assert load(tmp_path / 'x.png', to_float32=True)['img'].dtype == np.float32
    assert load(tmp_path / 'none.png', ignore_empty=True) is None
    with pytest.raises(DataError, match='no image at'):
        load(tmp_path / 'none.png')


def test_configs_read_with_it():
    paths = sorted(config_dir().glob('*.py'))
    assert len(paths) > 10
    for path in paths:
        text = load_config(path).pretty_text
        assert 'LoadPhotograph' in text and 'LoadImageFromFile' not in text, path.name


@pytest.mark.parametrize(
    ('loader', 'expected'),
    [
        (dict(type='LoadImageFromFile'), 'LoadPhotograph'),
        (dict(type='mmcv.LoadImageFromFile', backend_args=None), 'LoadPhotograph'),
        (dict(type=LoadImageFromFile), 'LoadPhotograph'),
        (dict(type='LoadImageFromFile', color_type='unchanged'), 'LoadImageFromFile'),
        (dict(type='LoadImageFromNDArray'), 'LoadImageFromNDArray'),
    ],
)
def test_plain_loaders_of_other_configs_are_replaced(loader, expected):
    dataset = dict(type='RepeatDataset', dataset=dict(pipeline=[loader, dict(type='Resize')]))
    cfg = Config(dict(train_dataloader=dict(dataset=dataset), tta=[[loader]]))
    load_photographs(cfg)
    pipeline = cfg.train_dataloader.dataset.dataset.pipeline
    assert [step['type'] for step in pipeline] == [expected, 'Resize']
    assert cfg.tta[0][0]['type'] == expected


def test_data_sets_find_names_in_either_normalization_and_encoding(toy_copy, edit_json):
    init_default_scope('mmdet')
    names = ['Na\u0308pfe 1.jpg', os.fsdecode(b'n\xe4pfe.jpg')]
    paths = sorted((toy_copy / 'val').glob('*.jpg'))
    for path, name in zip(paths, names, strict=True):
        path.rename(path.with_name(name))

    def rename(content):
        content['images'][0]['file_name'] = 'N\u00e4pfe 1.jpg'
        content['images'][1]['file_name'] = names[1]

    edit_json(toy_copy / 'annotations' / 'val.json', rename)
    cfg = load_config(config_dir() / 'frcnn_cleargrasp_plates.py').val_dataloader.dataset
    cfg.data_root = f'{toy_copy}/'
    data = DATASETS.build(cfg)
    assert [data[k]['inputs'].shape[0] for k in range(2)] == [3, 3]


@pytest.mark.parametrize('kind', ['path', 'array'])
def test_inferencer_of_mmdetection_reads_the_same(kind, tiny_runs, tmp_path, toy_plates):
    photo = mmcv.imread(str(next((toy_plates / 'val').glob('*.jpg'))))
    path = tmp_path / 'scan.tif'
    Image.fromarray(photo[..., 0].astype('u2') * 16).save(path)  # 12 bits
    config, checkpoint = find_run(tiny_runs())
    ours = PlateDetector(config, checkpoint, device='cpu', per_class=True)(path, score_thr=0)
    inferencer = DetInferencer(str(config), str(checkpoint), device='cpu', show_progress=False)
    given = str(path) if kind == 'path' else read_image(path, channel_order='bgr')
    theirs = inferencer(given, no_save_vis=True)['predictions'][0]
    np.testing.assert_allclose(ours.confidence, theirs['scores'], atol=1e-6)


def test_a_run_folder_of_before_still_detects(tiny_runs, tmp_path, toy_plates):
    config, checkpoint = find_run(tiny_runs())
    old = tmp_path / 'old.py'
    old.write_text(config.read_text().replace('LoadPhotograph', 'LoadImageFromFile'))
    assert 'LoadImageFromFile' in old.read_text()
    photo = next((toy_plates / 'val').glob('*.jpg'))
    new, before = (
        PlateDetector(path, checkpoint, device='cpu')(photo, score_thr=0) for path in (config, old)
    )
    assert np.array_equal(new.xyxy, before.xyxy)
    assert isinstance(TRANSFORMS.build(dict(type='LoadPhotograph')), LoadPhotograph)
