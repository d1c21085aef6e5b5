import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData
from PIL import Image

from mmdet_cleargrasp.engine.hooks.drawing_hook import PlateVisualizationHook

CLASSES = {'classes': tuple('abcdefghi')}  # more than there are colors
BETTER, WORSE, OTHER = (
    (12, 10, 52, 50, 0.7, 8), (10, 10, 50, 50, 0.6, 0), (60, 60, 90, 90, 0.4, 0)
)  # fmt: skip


def detections(*rows, **meta):
    """A sample of (x1, y1, x2, y2, score, class)."""
    rows = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    found = InstanceData(bboxes=rows[:, :4], scores=rows[:, 4], labels=rows[:, 5].long())
    return DetDataSample(pred_instances=found, metainfo=meta)


@pytest.fixture(scope='module')
def draw(tmp_path_factory):
    folder = tmp_path_factory.mktemp('drawing')
    Image.new('RGB', (96, 96), 'white').save(folder / 'white.png')
    visualizer = DetLocalVisualizer.get_instance('drawing_hook')

    def picture(*rows, meta=CLASSES):
        hook = PlateVisualizationHook(draw=True, test_out_dir='drawn')
        visualizer.dataset_meta = meta
        dataset = SimpleNamespace(data_prefix={'img': str(folder)})
        loader = SimpleNamespace(dataset=dataset)
        runner = SimpleNamespace(work_dir=folder, timestamp='', test_dataloader=loader)
        hook.before_test(runner)
        hook.after_test_iter(runner, 0, {}, [detections(*rows, img_path=str(folder / 'white.png'))])
        return np.asarray(Image.open(folder / 'drawn' / 'white.png')).astype(int)

    return picture


def test_pictures_have_one_box_a_plate_in_the_color_of_its_class(draw):
    assert np.array_equal(draw(WORSE, BETTER), draw(BETTER))
    assert not np.array_equal(draw(BETTER, OTHER), draw(BETTER))
    picture = draw(BETTER).reshape(-1, 3)
    red, green, blue = picture[np.ptp(picture, axis=1).argmax()]  # the most colorful: the box
    assert blue > green > red  # of class 8, which has the second color again


@pytest.mark.parametrize('meta', [{}, {'classes': None}])
def test_boxes_are_drawn_where_classes_have_no_names(draw, meta):
    assert not np.array_equal(draw(OTHER, meta=meta), draw(meta=meta))


def test_colors_of_the_data_set_s_own_are_kept(draw):
    own = {**CLASSES, 'palette': [(255, 0, 0)] * 9}
    picture = draw(BETTER, meta=own).reshape(-1, 3)
    red, green, blue = picture[np.ptp(picture, axis=1).argmax()]
    assert red > green == blue


def test_images_of_equal_names_in_different_folders_keep_their_pictures(tmp_path):
    visualizer = DetLocalVisualizer.get_instance('drawing_hook')
    visualizer.dataset_meta = CLASSES
    dataset = SimpleNamespace(data_prefix={'img': str(tmp_path / 'images')})
    runner = SimpleNamespace(
        work_dir=tmp_path, timestamp='', test_dataloader=SimpleNamespace(dataset=dataset)
    )
    hook = PlateVisualizationHook(draw=True, test_out_dir='drawn')
    hook.before_test(runner)
    names = ['day1/x.png', 'day2/x.png', 'x.png', 'scan.avif', os.fsdecode(b'dish \xe4.png')]
    for name in names:
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (96, 96), 'white').save(path)
        hook.after_test_iter(runner, 0, {}, [detections(BETTER, img_path=str(path))])
    drawn = {
        path.relative_to(tmp_path / 'drawn').as_posix()
        for path in (tmp_path / 'drawn').rglob('*.*')
    }
    assert drawn == {name.replace('.avif', '.avif.jpg') for name in names}
