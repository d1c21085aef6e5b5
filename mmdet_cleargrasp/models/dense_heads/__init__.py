"""Dense heads of MMDetection whose backward passes leave out what is zero."""

from .retina_head import SparseGradRetinaHead
from .rpn_head import SparseGradRPNHead

__all__ = ['SparseGradRPNHead', 'SparseGradRetinaHead']
