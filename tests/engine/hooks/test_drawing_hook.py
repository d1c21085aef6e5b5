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
        runner = SimpleNamespace(work_dir=folder, timestamp='')
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
