# Faster R-CNN on the frozen DRN-D-54 that ClearGrasp released.
#
#   python tools/train.py configs/frcnn_cleargrasp_drn54_plates.py
#
# Mask, outlines or normals: `task` in _base_/backbones/cleargrasp_drn54.py.
_base_ = ['_base_/frcnn.py', '_base_/backbones/cleargrasp_drn54.py']

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
)
