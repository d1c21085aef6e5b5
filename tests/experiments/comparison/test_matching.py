"""The fast figures against pycocotools', on the images as they are and on resampled ones."""

import json

import numpy as np
import pytest

from mmdet_cleargrasp.evaluation.coco_figures import evaluate
from mmdet_cleargrasp.experiments.comparison.matching import figures, read_matches, score
from tests.experiments.comparison.synthetic import CLASSES, write_detections, write_truth

# Where COCOeval.stats has a size's average precision and recall.
STATS = {'all': (0, 8), 'small': (3, 9), 'medium': (4, 10), 'large': (5, 11)}


@pytest.fixture
def truth(tmp_path):
    return write_truth(tmp_path)


def run(truth, path, **chances):
    evaluation = evaluate(truth, write_detections(truth, path, **chances), CLASSES)
    return evaluation, read_matches(evaluation, CLASSES)


@pytest.mark.parametrize(
    'chances',
    [{}, {'recall': 0}, {'recall': 0, 'invented': 0}, {'recall': 1, 'blur': 0, 'invented': 0}, {'ties': True}, {'invented': 60}],
    ids=['usual', 'only inventions', 'nothing', 'perfect', 'equal scores', 'over 100 an image'],
)  # fmt: skip
def test_the_test_set_as_it_is_gives_pycocotools_figures(truth, tmp_path, chances):
    evaluation, matches = run(truth, tmp_path / 'found.json', **chances)
    everything = np.ones((1, len(matches.images)))
    for size, (precision, recall) in STATS.items():
        scores = score(matches, everything, size)
        assert np.nanmean(scores.ap) == pytest.approx(evaluation.stats[precision], abs=1e-12), size
        assert np.nanmean(scores.ar) == pytest.approx(evaluation.stats[recall], abs=1e-12), size
    named = figures(score(matches, everything), matches)
    for name, place in {'AP': 0, 'AP50': 1, 'AP75': 2, 'AR': 8}.items():
        assert named[name][0] == pytest.approx(evaluation.stats[place], abs=1e-12), name


def test_a_resampling_is_what_pycocotools_says_of_copied_images(truth, tmp_path):
    _, matches = run(truth, tmp_path / 'found.json')
    weights = np.random.default_rng(1).multinomial(20, np.full(20, 1 / 20))
    content = json.loads(truth.read_text())
    found = json.loads((tmp_path / 'found.json').read_text())
    copies = [
        (image['id'], c)
        for image, w in zip(content['images'], weights, strict=True)
        for c in range(w)
    ]
    renamed = {'images': [], 'annotations': [], 'categories': content['categories']}
    detections = []
    for new, (old, _) in enumerate(copies, 1):
        renamed['images'].append({**content['images'][old - 1], 'id': new})
        renamed['annotations'] += [
            {**a, 'image_id': new} for a in content['annotations'] if a['image_id'] == old
        ]
        detections += [{**d, 'image_id': new} for d in found if d['image_id'] == old]
    for number, annotation in enumerate(renamed['annotations'], 1):
        annotation['id'] = number
    (tmp_path / 'copied.json').write_text(json.dumps(renamed))
    (tmp_path / 'copied_found.json').write_text(json.dumps(detections))
    slow = evaluate(tmp_path / 'copied.json', tmp_path / 'copied_found.json', CLASSES)
    fast = figures(score(matches, weights[None]), matches)
    assert fast['AP'][0] == pytest.approx(slow.stats[0], abs=1e-12)
    assert fast['AR'][0] == pytest.approx(slow.stats[8], abs=1e-12)


def test_resampled_without_a_true_box_nothing_is_measured(truth, tmp_path):
    _, matches = run(truth, tmp_path / 'found.json')
    only_empty = np.zeros((1, 20))
    only_empty[0, :2] = 10
    assert np.isnan(figures(score(matches, only_empty), matches)['AP']).all()
