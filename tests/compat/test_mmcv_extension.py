import sys
from importlib.machinery import PathFinder

import pytest
import torch

from mmdet_cleargrasp.compat.mmcv_extension import ExtensionFinder


def test_a_compiled_mmcv_takes_precedence():
    kinds = [finder if isinstance(finder, type) else type(finder) for finder in sys.meta_path]
    assert kinds.index(ExtensionFinder) > kinds.index(PathFinder)
    assert kinds.count(ExtensionFinder) == 1
    assert ExtensionFinder().find_spec('mmcv.ops', None) is None


@pytest.mark.skipif(
    getattr(sys.modules['mmcv._ext'], '__file__', None) is not None, reason='mmcv is compiled'
)
def test_a_missing_operator_names_itself_and_the_package_to_install():
    from mmcv.ops import deform_conv2d

    image = torch.rand(1, 1, 8, 8)
    with pytest.raises(NotImplementedError, match='deform_conv_forward.*compiled mmcv 2.1.0'):
        deform_conv2d(image, torch.zeros(1, 18, 6, 6), torch.rand(1, 1, 3, 3))
