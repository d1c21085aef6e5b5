import csv
import json

import pytest
from PIL import Image

from mmdet_cleargrasp.app.review import SHOWN, Limits, Review, look_at
from mmdet_cleargrasp.inference import PlateDetector


@pytest.fixture(scope='module')
def detector(tiny_runs):
    return PlateDetector.from_run(tiny_runs(), device='cpu')


@pytest.fixture(scope='module')
def photos(toy_plates):
    return sorted((toy_plates / 'val').glob('*.jpg'))


@pytest.fixture(scope='module')
def review(detector, photos):
    return look_at(detector, [(path, 'x.jpg') for path in photos], Limits())


def test_every_photograph_has_a_name_of_its_own(review):
    assert [photo.name for photo in review.photographs] == ['x.jpg', 'x-2.jpg', 'x-3.jpg']
    assert review.problems == []


def test_threshold_sorts_what_was_found_once(review):
    scores = [row['score'] for row in review.rows(0)]
    assert min(scores) < 0.3 < max(scores)
    for threshold in (0.0, 0.3, 1.0):
        assert len(review.rows(threshold)) == sum(
            (photo.detections.confidence >= threshold).sum() for photo in review.photographs
        )
    drawn = [review.pictures(threshold)[0][0] for threshold in (0.0, 1.0)]
    assert (drawn[0] != drawn[1]).any()
    assert (drawn[1] == review.photographs[0].shown).all()
    assert review.pictures(1.0)[0][1] == 'x.jpg: none'


def test_boxes_are_those_of_the_detector_in_pixels_of_the_photograph(detector, photos, tmp_path):
    with Image.open(photos[0]) as image:
        image.resize((2 * SHOWN, SHOWN)).save(tmp_path / 'large.png')
    review = look_at(detector, [(tmp_path / 'large.png', 'large.png')], Limits())
    found = detector(tmp_path / 'large.png', score_thr=0.2)
    assert [row['x'] for row in review.rows(0.2)] == [round(float(x), 2) for x in found.xyxy[:, 0]]
    assert review.photographs[0].shown.shape == (SHOWN // 2, SHOWN, 3)


def test_files_of_results(review, tmp_path):
    table, coco = review.write(tmp_path, 0.2)
    rows = list(csv.DictReader(table.open(encoding='utf-8-sig')))
    content = json.loads(coco.read_text())
    assert len(rows) == len(content['annotations']) == len(review.rows(0.2)) > 0
    assert [image['file_name'] for image in content['images']] == ['x.jpg', 'x-2.jpg', 'x-3.jpg']


@pytest.mark.parametrize(
    ('content', 'limits', 'problem'),
    [
        (b'', Limits(), 'bad.jpg is empty'),
        (b'text', Limits(), 'bad.jpg is no image'),
        (None, Limits(megapixels=0), 'bad.jpg has 6,912 pixels, more than the 0'),
        (None, Limits(megabytes=0), 'bad.jpg is larger than 0 MB'),
        (None, Limits(files=0), '1 files were left out: 0 go at once'),
    ],
)
def test_problems_are_told_without_the_server_s_paths(
    detector, photos, tmp_path, content, limits, problem
):
    path = tmp_path / 'secret' / 'upload.jpg'
    path.parent.mkdir()
    path.write_bytes(photos[0].read_bytes() if content is None else content)
    review = look_at(detector, [(path, 'bad.jpg')], limits)
    assert review.photographs == []
    assert len(review.problems) == 1 and problem in review.problems[0]
    assert 'secret' not in review.problems[0]


def test_nothing_yet():
    assert Review().rows(0) == Review().pictures(0) == []
