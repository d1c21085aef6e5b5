from mmdet_cleargrasp.cli.to_coco import FORMATS_OFFERED
from mmdet_cleargrasp.conversion.formats import FORMATS


def test_format_takes_every_format():
    assert tuple(FORMATS) == FORMATS_OFFERED
