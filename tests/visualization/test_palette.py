"""Names and colors of classes are the same wherever they stand."""

from PIL import ImageColor

from mmdet_cleargrasp.datasets.toy_plates import CLASSES
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.visualization.palette import OUTLINE_COLORS, class_color
from plate_renderer.objects.plates import CATEGORIES
from plate_renderer.output import contact_sheet
from tests.conftest import ROOT


def test_classes_have_one_order():
    config = load_config(ROOT / 'configs' / 'frcnn_cleargrasp_plates.py')
    trained = config.train_dataloader.dataset.metainfo.classes
    assert tuple(trained) == CLASSES == CATEGORIES


def test_the_renderer_s_contact_sheets_have_the_same_colors():
    for label in range(len(CLASSES)):
        assert contact_sheet.COLORS[label + 1] == ImageColor.getrgb(class_color(label))
    assert contact_sheet.OUTLINE_COLORS.tolist() == [list(color) for color in OUTLINE_COLORS]
