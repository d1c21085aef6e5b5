"""Cross-validation: folds of a data set, their runs, and the report over all of them."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest

from mmdet_cleargrasp.datasets import check_split, find_splits, read_coco
from mmdet_cleargrasp.datasets.toy_plates import write_toy_plates
from mmdet_cleargrasp.evaluation.report_files import finish_report
from mmdet_cleargrasp.experiments.comparison.runs import collect_runs
from mmdet_cleargrasp.experiments.folds import assign_folds, write_folds
from mmdet_cleargrasp.experiments.jobs import check_arms, plan_experiment, write_plan
from mmdet_cleargrasp.experiments.pooling import pool_folds, summarize
from mmdet_cleargrasp.experiments.spec import Arm, ExperimentSpec, parse_experiment
from mmdet_cleargrasp.utils.atomic_files import write_json
from mmdet_cleargrasp.utils.errors import DataError
from mmdet_cleargrasp.utils.yaml_specs import SpecError


@pytest.fixture(scope='module')
def plates(tmp_path_factory):
    """Ten images, eight of them for training."""
    return write_toy_plates(tmp_path_factory.mktemp('plates'), train=8, val=2, size=64)


def test_groups_stay_in_one_fold_and_folds_are_of_one_size():
    names = {f'dish{k // 3:02d}_{k % 3}.jpg': k % 12 != 0 for k in range(60)}
    folds = assign_folds(names, 5, r'dish\d+')
    assert all(len({folds[n] for n in names if n[:6] == name[:6]}) == 1 for name in names)
    assert Counter(folds.values()) == dict.fromkeys(range(5), 12)


def test_too_few_groups_with_boxes():
    with pytest.raises(DataError, match='folds: 3 need as many groups of images with boxes'):
        assign_folds({'a.jpg': True, 'b.jpg': True, 'c.jpg': False}, 3)


def test_every_image_is_tested_once_and_never_trained_on_in_that_fold(plates, tmp_path):
    folds = write_folds(plates, tmp_path, 3)
    whole = {image['id']: image['file_name'] for image in read_coco(folds.whole).images}
    assert len(whole) == 10
    tested = []
    for folder in folds.folders:
        ids = {}
        for name, split in find_splits(folder).items():
            coco = read_coco(split.ann_file)
            ids[name] = {image['id'] for image in coco.images}
            assert all(whole[image['id']] == image['file_name'] for image in coco.images)
            findings = check_split(name, split.ann_file, split.img_dir, coco.classes)
            assert not [f for f in findings if f.level == 'error'], findings
        assert not ids['train'] & ids['val'] and not (ids['train'] | ids['val']) & ids['test']
        assert set.union(*ids.values()) == set(whole)
        tested += ids['test']
    assert sorted(tested) == sorted(whole)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'folds': 2, 'data_root': '.'}, 'folds is 2, expected 3 or more'),
        ({'folds': 3}, 'folds needs `data_root`'),
        ({'group_by': 'parent'}, 'group_by needs `folds`'),
        ({'folds': 3, 'data_root': '.', 'tests': []}, 'tests is'),
    ],
)
def test_invalid_specs_are_refused(tiny_config, changes, message):
    spec = {'name': 'mine', 'arms': {'plain': {'config': str(tiny_config)}}, **changes}
    with pytest.raises(SpecError, match=message):
        parse_experiment(spec)


@pytest.fixture(scope='module')
def planned(plates, tiny_config, tmp_path_factory):
    """Two arms in three folds, written but not run."""
    arms = (Arm('plain', tiny_config), Arm('gentle', tiny_config, {'train_cfg.val_interval': 2}))
    spec = ExperimentSpec('mine', arms, seeds=(0,), epochs=2, data_root=plates, folds=3)
    plan = plan_experiment(
        dataclasses.replace(spec, reference='plain'), tmp_path_factory.mktemp('work') / 'mine'
    )
    write_plan(plan)
    return plan


def test_every_fold_is_a_run_of_its_own(planned):
    assert [(job.fold, job.arm) for job in planned.jobs] == [
        (fold, arm) for fold in (1, 2, 3) for arm in ('plain', 'gentle')
    ]
    files = {planned.configs[job.train_config].train_dataloader.dataset.ann_file
             for job in planned.jobs}  # fmt: skip
    assert len(files) == 3
    assert planned.jobs[0].folder.endswith('plain/fraction-100/seed-0/fold-1')
    assert not [finding for _, finding in check_arms(planned) if finding.level == 'error']


def answer(job, planned, score):
    """Write the test of a fold whose detector finds everything, with one score."""
    config = Path(next(iter(job.test_configs.values())))
    split = find_splits(planned.folds.folders[job.fold - 1])['test']
    coco = read_coco(split.ann_file)
    report = Path(job.folder) / 'test' / 'test'
    found = [
        {**{key: a[key] for key in ('image_id', 'bbox', 'category_id')}, 'score': score}
        for a in coco.annotations
    ]
    write_json(report / 'predictions.bbox.json', found)
    write_json(report / 'metrics.json', {})
    source = {'classes': coco.classes, 'checkpoint': 'x.pth', 'config': config.name, 'seed': 0,
              'score_threshold': score / 2}  # fmt: skip
    write_json(report / 'source.json', source)
    (report / config.name).write_text(config.read_text())
    finish_report(report)
    tests = {'test': {'AP': 1.0}}
    record = {'arm': job.arm, 'fraction': 100, 'seed': 0, 'images': job.images, 'seconds': 1.0,
              'checkpoint': 'x.pth', 'tests': tests}  # fmt: skip
    write_json(Path(job.folder) / 'record.json', record)


def test_the_folds_make_one_report_over_all_images(planned):
    *others, last = planned.jobs
    for job in others:
        answer(job, planned, score=0.6 if job.fold == 1 else 0.9)
    assert [folder.parts[-3] for folder in pool_folds(planned)] == ['plain']
    answer(last, planned, score=0.9)
    folders = pool_folds(planned)
    assert len(folders) == 2
    report = folders[0] / 'test' / 'cross_validation'
    metrics = json.loads((report / 'metrics.json').read_text())
    assert metrics['coco']['AP'] == pytest.approx(1.0)
    assert metrics['answers']['images'] == metrics['answers']['images_all_right'] == 10
    assert metrics['answers']['score_threshold'] == pytest.approx((0.3 + 0.45 + 0.45) / 3)
    for line, arm in zip(summarize(folders), ('plain', 'gentle'), strict=True):
        assert line.startswith(f'{arm}: AP 1.000 (1.00 to 1.00)')
        assert line.endswith('10 images, 1 seed')
    runs = collect_runs([str(planned.root)])
    assert (runs.tests, len(runs.runs), runs.notes) == (('cross_validation',), 2, [])
