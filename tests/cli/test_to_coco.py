from mmdet_cleargrasp.cli.to_coco import FORMAT_NAMES
from mmdet_cleargrasp.conversion.formats import FORMATS


def test_every_format_can_be_selected():
    assert tuple(FORMATS) == FORMAT_NAMES
