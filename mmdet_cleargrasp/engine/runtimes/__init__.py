"""Runtimes that compute a detector's networks in prediction: torch or OpenVINO.

A runtime is a module with one function, ``compile_network``. It turns a network into a function of
an image batch; MMDetection does the rest (resizing, anchors, RoIAlign, NMS) as always.
"""

from .select import RUNTIMES, WORTH_COMPILING, check_runtime, use_runtime

__all__ = ['RUNTIMES', 'WORTH_COMPILING', 'check_runtime', 'use_runtime']
