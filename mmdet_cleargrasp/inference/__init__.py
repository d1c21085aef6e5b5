"""Finding plates with a trained detector: one image, a batch of files, a page, ONNX."""

from .detector import PlateDetector

__all__ = ['PlateDetector']
