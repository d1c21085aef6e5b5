"""Made-up test sets and detections, as COCO files, whose chances are known."""

import json

import numpy as np

CLASSES = ('dish', 'plate')


def write_truth(folder, images=20, seed=0, negatives=2):
    """A COCO file of boxes in all of COCO's sizes; the first images are empty."""
    rng = np.random.default_rng(seed)
    annotations = []
    for image in range(1, images + 1):
        for _ in range(0 if image <= negatives else rng.integers(1, 5)):
            side = float(rng.choice([20, 60, 150]) * rng.uniform(0.8, 1.2))
            x, y = rng.uniform(0, 300 - side, 2)
            annotations.append({
                'id': len(annotations) + 1, 'image_id': image, 'category_id': int(rng.integers(1, 3)),
                'bbox': [x, y, side, side], 'area': side * side, 'iscrowd': 0,
            })  # fmt: skip
    content = {
        'images': [{'id': i, 'file_name': f'{i}.jpg', 'width': 300, 'height': 300} for i in range(1, images + 1)],
        'annotations': annotations,
        'categories': [{'id': k, 'name': name} for k, name in enumerate(CLASSES, 1)],
    }  # fmt: skip
    path = folder / 'truth.json'
    path.write_text(json.dumps(content))
    return path


def write_detections(truth, path, recall=0.7, blur=0.08, invented=2.0, seed=0, ties=False):
    """Detections that find a share of the boxes, each off by some share of its side, and more."""
    rng = np.random.default_rng(seed)
    content = json.loads(truth.read_text())
    detections = []
    for annotation in content['annotations']:
        if rng.random() < recall:
            x, y, w, h = annotation['bbox']
            dx, dy = rng.normal(0, blur * w, 2)
            detections.append(
                (
                    annotation['image_id'],
                    annotation['category_id'],
                    [x + dx, y + dy, w, h],
                    rng.beta(4, 2),
                )
            )
    for image in content['images']:
        for _ in range(rng.poisson(invented)):
            x, y, side = rng.uniform(0, 200), rng.uniform(0, 200), rng.uniform(10, 100)
            detections.append(
                (image['id'], int(rng.integers(1, 3)), [x, y, side, side], rng.beta(2, 4))
            )
    digits = 1 if ties else 6
    path.write_text(json.dumps([
        {'image_id': i, 'category_id': c, 'bbox': list(map(float, box)), 'score': round(float(score), digits)}
        for i, c, box, score in detections
    ]))  # fmt: skip
    return path
