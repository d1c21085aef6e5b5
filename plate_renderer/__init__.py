"""Physically based rendering of transparent microbe plates with exact ground truth.

`output.dataset.write_dataset` renders a dataset from a spec (`scene.spec`), and
`output.rendering.render` a single image. Data flow in one direction: spec → scenes (plates, growth,
benches, lighting, camera) → pathtracer → ground_truth and photograph → dataset. Only `pathtracer`
uses Mitsuba, which is optional: `pip install 'mmdet_cleargrasp[render]'`.
"""
