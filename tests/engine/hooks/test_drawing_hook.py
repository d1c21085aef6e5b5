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
from mmdet_cleargrasp.visualization.boxes import CAPTION_HEIGHT

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

    def picture(*rows, meta=CLASSES, truth=None):
        hook = PlateVisualizationHook(draw=True, test_out_dir='drawn', score_thr=0.3)
        visualizer.dataset_meta = meta
        dataset = SimpleNamespace(data_prefix={'img': str(folder)})
        loader = SimpleNamespace(dataset=dataset)
        runner = SimpleNamespace(work_dir=folder, timestamp='', test_dataloader=loader)
        sample = detections(*rows, img_path=str(folder / 'white.png'))
        if truth:
            rows = detections(truth).pred_instances
            sample.gt_instances = InstanceData(bboxes=rows.bboxes, labels=rows.labels)
        hook.after_test_iter(runner, 0, {}, [sample])
        return np.asarray(Image.open(folder / 'drawn' / 'white.png')).astype(int)

    return picture


def test_pictures_have_the_answers_in_the_color_of_their_class(draw):
    assert np.array_equal(draw(WORSE, BETTER), draw(BETTER))
    assert not np.array_equal(draw(BETTER, OTHER), draw(BETTER))
    picture = draw(BETTER).reshape(-1, 3)
    red, green, blue = picture[np.ptp(picture, axis=1).argmax()]  # the most colorful: the box
    assert blue > green > red  # of class 8, which has the second color again


def test_what_scores_below_the_threshold_is_not_drawn(draw):
    assert np.array_equal(draw((60, 60, 90, 90, 0.29, 0)), draw())


def test_the_annotated_boxes_are_on_the_left(draw):
    picture = draw(BETTER, truth=OTHER)
    answers = draw(BETTER)
    assert picture.shape[1] == 2 * answers.shape[1]
    assert np.array_equal(picture[:, answers.shape[1] :], answers)
    assert np.ptp(picture[CAPTION_HEIGHT:, : answers.shape[1]], axis=2).max() > 100


@pytest.mark.parametrize('meta', [{}, {'classes': None}, None])
def test_boxes_are_drawn_where_classes_have_no_names(draw, meta):
    assert not np.array_equal(draw(OTHER, meta=meta), draw(meta=meta))


def test_images_of_equal_names_in_different_folders_keep_their_pictures(tmp_path):
    visualizer = DetLocalVisualizer.get_instance('drawing_hook')
    visualizer.dataset_meta = CLASSES
    dataset = SimpleNamespace(data_prefix={'img': str(tmp_path / 'images')})
    runner = SimpleNamespace(
        work_dir=tmp_path, timestamp='', test_dataloader=SimpleNamespace(dataset=dataset)
    )
    hook = PlateVisualizationHook(draw=True, test_out_dir='drawn')
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
