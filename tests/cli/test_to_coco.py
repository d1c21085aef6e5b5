from mmdet_cleargrasp.cli.to_coco import FORMAT_NAMES
from mmdet_cleargrasp.conversion.formats import FORMATS


def test_format_takes_every_format():
    assert tuple(FORMATS) == FORMAT_NAMES
