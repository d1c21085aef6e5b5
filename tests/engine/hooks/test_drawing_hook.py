from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData
from PIL import Image

from mmdet_cleargrasp.engine.hooks.drawing_hook import PlateVisualizationHook, one_box_a_plate

BETTER, WORSE, OTHER = (
    (12, 10, 52, 50, 0.7, 8), (10, 10, 50, 50, 0.6, 0), (60, 60, 90, 90, 0.4, 0)
)  # fmt: skip


def detections(*rows, **meta):
    """A sample of (x1, y1, x2, y2, score, class)."""
    rows = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    found = InstanceData(bboxes=rows[:, :4], scores=rows[:, 4], labels=rows[:, 5].long())
    return DetDataSample(pred_instances=found, metainfo=meta)


def test_the_best_box_of_a_plate_is_kept_whatever_its_class():
    sample = detections(WORSE, BETTER, OTHER)
    assert one_box_a_plate(sample).pred_instances.labels.tolist() == [8, 0]
    assert len(sample.pred_instances) == 3  # the metrics go on with all
    assert len(one_box_a_plate(detections()).pred_instances) == 0


@pytest.fixture(scope='module')
def draw(tmp_path_factory):
    folder = tmp_path_factory.mktemp('drawing')
    Image.new('RGB', (96, 96), 'white').save(folder / 'white.png')
    visualizer = DetLocalVisualizer.get_instance('drawing_hook')

    def picture(*rows):
        hook = PlateVisualizationHook(draw=True, test_out_dir='drawn')
        visualizer.dataset_meta = {'classes': tuple('abcdefghi')}  # more than there are colours
        runner = SimpleNamespace(work_dir=folder, timestamp='')
        hook.before_test(runner)
        hook.after_test_iter(runner, 0, {}, [detections(*rows, img_path=str(folder / 'white.png'))])
        return np.asarray(Image.open(folder / 'drawn' / 'white.png')).astype(int)

    return picture


def test_pictures_have_one_box_a_plate_in_the_colour_of_its_class(draw):
    assert np.array_equal(draw(WORSE, BETTER), draw(BETTER))
    assert not np.array_equal(draw(BETTER, OTHER), draw(BETTER))
    picture = draw(BETTER).reshape(-1, 3)
    red, green, blue = picture[np.ptp(picture, axis=1).argmax()]  # the most colourful: the box
    assert blue > green > red  # of class 8, which has the second colour again
