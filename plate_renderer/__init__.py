"""Transparent microbe plates, physically rendered with exact ground truth.

`dataset.write_dataset` renders a whole data set from a `spec`; `rendering.render` one image. Data
flow one way: spec → scenes (plates, growth, benches, lighting, camera) → pathtracer →
ground_truth and photograph → dataset. Only `pathtracer` runs Mitsuba, which is an extra:
`pip install 'mmdet_cleargrasp[render]'`.
"""
