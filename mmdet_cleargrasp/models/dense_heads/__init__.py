"""Dense heads of MMDetection that skip what is zero or dropped."""

from .retina_head import SparseGradRetinaHead
from .rpn_head import SparseGradRPNHead

__all__ = ['SparseGradRPNHead', 'SparseGradRetinaHead']
