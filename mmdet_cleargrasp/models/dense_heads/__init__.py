"""MMDetection's RetinaNet and RPN heads, faster on a CPU."""

from .retina_head import SparseGradRetinaHead
from .rpn_head import SparseGradRPNHead

__all__ = ['SparseGradRPNHead', 'SparseGradRetinaHead']
