"""The comparison of made-up runs, from the command line to the page."""

import csv
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from mmdet_cleargrasp.datasets.toy_plates import CLASSES
from mmdet_cleargrasp.evaluation.detection_report import read_answers
from mmdet_cleargrasp.evaluation.report_files import finish_report
from mmdet_cleargrasp.experiments.comparison import comparing, tables
from mmdet_cleargrasp.experiments.comparison.comparing import compare
from mmdet_cleargrasp.experiments.comparison.groups import parse_group
from mmdet_cleargrasp.experiments.comparison.runs import collect_runs
from mmdet_cleargrasp.utils.errors import ConfigError, DataError
from tests.experiments.comparison.synthetic import write_detections

TOOL = 'tools/analysis_tools/compare_runs.py'
GOOD = {'recall': 1.0, 'blur': 0.01, 'invented': 0.2}
POOR = {'recall': 0.5, 'blur': 0.1, 'invented': 2}


@pytest.fixture(scope='module')
def write_run(toy_plates, tiny_config):
    """Leave in a folder what training and testing would."""

    def write(folder, seed=0, chances=GOOD, test='val', luck=None):
        truth = toy_plates / 'annotations' / 'val.json'
        report = folder / 'test' / test
        report.mkdir(parents=True)
        write_detections(truth, report / 'predictions.bbox.json', seed=luck or seed, **chances)
        source = {
            'annotations': str(truth),
            'annotations_sha256': hashlib.sha256(truth.read_bytes()).hexdigest(),
            'images': str(toy_plates / 'val'),
            'classes': CLASSES,
            'checkpoint': 'gone.pth',
            'config': 'tiny.py',
            'seed': seed,
        }
        (report / 'source.json').write_text(json.dumps(source))
        (report / 'metrics.json').write_text('{}')
        finish_report(report)
        shutil.copy(tiny_config, report / 'tiny.py')
        log = folder / '20260101_000000' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True)
        steps = [{'loss': 2 / step, 'epoch': 1, 'iter': step, 'step': step} for step in range(1, 9)]
        entries = [*steps, {'coco/bbox_mAP': 0.5, 'step': 1}]
        log.write_text('\n'.join(json.dumps(entry) for entry in entries))
        return folder

    return write


@pytest.fixture(scope='module')
def runs(write_run, tmp_path_factory):
    """Two arms of two seeds, as the command line takes them."""
    root = tmp_path_factory.mktemp('runs')
    return [
        f'{arm}={write_run(root / f"{arm}{seed}", seed, chances, luck=luck + seed)}'
        for arm, chances, luck in (('good', GOOD, 10), ('poor', POOR, 20))
        for seed in (0, 1)
    ]


class Page(HTMLParser):
    """Collects what a page refers to and checks that its tags are closed."""

    def __init__(self):
        super().__init__()
        self.references, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.references += [v for k, v in attrs if k in ('src', 'href', 'xlink:href', 'srcset')]
        if tag not in ('meta', 'img', 'br', 'link', 'input'):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.references += [v for k, v in attrs if k in ('src', 'href', 'xlink:href', 'srcset')]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_command_line_leaves_tables_and_a_page_that_stands_alone(runs, run_tool, tmp_path):
    done = run_tool(TOOL, *runs, '--reference', 'poor', '--question', 'Is <good> better?',
                    '--replicates', '200', '--measure-speed', '--out', tmp_path)  # fmt: skip
    assert 'between good and poor' in done.stdout or 'good has a higher AP' in done.stdout
    page = (tmp_path / 'comparison.html').read_text()
    assert 'Is &lt;good&gt; better?' in page
    parser = Page()
    parser.feed(page)
    assert not parser.open
    assert parser.references
    assert all(reference.startswith(('data:', '#')) for reference in parser.references)
    assert not re.search(r'url\((?!#)|@import|<script|<link', page)
    for part in (
        'Answers: one box a plate',
        'Precision and recall',
        'Confusion matrices',
        'training loss',
        'differ most',
    ):
        assert part in page
    # Two charts must not share an id, or one would be clipped by the other's frame.
    clips = re.findall(r'<clipPath id="(\w+)"', page)
    assert len(set(clips)) == len(clips)
    with (tmp_path / 'runs.csv').open(encoding='utf-8-sig') as file:
        rows = list(csv.DictReader(file))
    assert {row['arm'] for row in rows} == {'good', 'poor'}
    assert {row['seed'] for row in rows} == {'0', '1'}
    markdown = (tmp_path / 'comparison.md').read_text()
    assert '| good | 2 | ' in markdown
    cost = re.search(r'\| good \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|', markdown)
    parameters, trained, flops, seconds = map(float, cost.groups())
    # A frozen ResNet-18 has 11.18 million parameters.
    assert parameters - trained == pytest.approx(11.18, abs=0.02)
    assert flops > 0
    assert seconds > 0


def test_figures_are_those_of_the_report_of_each_test(runs):
    found = collect_runs(runs)
    comparison = compare(found, replicates=100)[0]
    for arm in ('good', 'poor'):
        assert comparison.results[arm, 100].seeds == [0, 1]
    assert comparison.results['good', 100].mean('AP') > comparison.results['poor', 100].mean('AP')
    difference = next(d for d in comparison.differences if d.figure == 'AP')
    assert (difference.arm, difference.reference) == ('poor', 'good')
    assert difference.paired
    assert difference.interval.estimate == pytest.approx(
        comparison.results['poor', 100].mean('AP') - comparison.results['good', 100].mean('AP')
    )


def test_answers_are_counted_at_the_threshold_of_each_run(write_run, edit_json, tmp_path):
    folders = [write_run(tmp_path / arm, 1, GOOD, luck=5) for arm in 'ab']
    edit_json(folders[0] / 'test/val/source.json', lambda s: s.update(score_threshold=0.01))
    edit_json(folders[1] / 'test/val/source.json', lambda s: s.update(score_threshold=0.99))
    for folder in folders:
        finish_report(folder / 'test' / 'val')
    comparison = compare(collect_runs(list(map(str, folders))), replicates=100)[0]
    every, none = (comparison.results[arm, 100] for arm in 'ab')
    assert every.mean('AP') == none.mean('AP')
    assert every.mean('recall') > 0.5
    assert none.mean('recall') == none.mean('F1') == 0
    source = json.loads((folders[0] / 'test/val/source.json').read_text())
    answers = read_answers(
        source['annotations'], folders[0] / 'test/val/predictions.bbox.json', CLASSES
    )
    assert every.mean('F1') == pytest.approx(float(answers.count(0.01).f1))
    difference = next(d for d in comparison.differences if d.figure == 'F1')
    assert difference.interval.estimate == pytest.approx(-every.mean('F1'))


def test_groups_of_images_have_figures_of_their_own(runs):
    groups = [parse_group(text) for text in ('every=.', 'none=absent')]
    comparison = compare(collect_runs(runs), replicates=100, groups=groups)[0]
    result = comparison.results['good', 100]
    assert comparison.groups['every'] == len(comparison.image_ids)
    assert 'none' not in comparison.groups
    for figure in ('AP', 'precision', 'recall'):
        assert np.array_equal(result.values[f'{figure} in every'], result.values[figure])
    titles = [part.title for part in tables.parts(comparison)]
    assert titles[-1] == tables.GROUPS_TITLE
    differences = {d.figure: d.interval for d in comparison.differences}
    assert differences['AP in every'].estimate == pytest.approx(differences['AP'].estimate)


@pytest.mark.parametrize('text', ['paper', '=paper', 'white=', 'white=('])
def test_groups_that_cannot_be_read_are_refused(text):
    with pytest.raises(ConfigError, match='--group'):
        parse_group(text)


def test_the_same_seed_gives_the_same_intervals(runs):
    first, second = (compare(collect_runs(runs), replicates=100)[0] for _ in range(2))
    assert first.differences == second.differences


def test_identical_arms_do_not_differ_at_all(write_run, tmp_path):
    arguments = [
        f'{arm}={write_run(tmp_path / f"{arm}{seed}", seed, POOR, luck=seed + 5)}'
        for arm in 'ab'
        for seed in (0, 1)
    ]
    comparison = compare(collect_runs(arguments), replicates=100)[0]
    ends = {(d.interval.low, d.interval.high) for d in comparison.differences}
    assert ends == {(0.0, 0.0)}


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        (lambda source: source.update(annotations_sha256='other'), DataError, 'tested on different images'),
        (lambda source: source.update(classes=['dish']), DataError, 'tested on different images'),
    ],
)  # fmt: skip
def test_tests_on_different_data_are_refused(
    write_run, edit_json, tmp_path, change, error, message
):
    folders = [write_run(tmp_path / name) for name in 'ab']
    edit_json(folders[1] / 'test' / 'val' / 'source.json', change)
    finish_report(folders[1] / 'test' / 'val')
    with pytest.raises(error, match=message):
        collect_runs(list(map(str, folders)))


def test_tests_in_another_precision_are_named(write_run, edit_json, tmp_path):
    folders = [write_run(tmp_path / name) for name in 'ab']
    assert collect_runs(list(map(str, folders))).notes == []
    edit_json(folders[1] / 'test/val/source.json', lambda s: s.update(runtime='openvino, bfloat16'))
    finish_report(folders[1] / 'test' / 'val')
    assert collect_runs(list(map(str, folders))).notes == [
        'Not all tests were computed in the same way: openvino, bfloat16; torch, float32.'
    ]


@pytest.mark.parametrize('name', ['manifest.json', 'predictions.bbox.json'])
def test_half_written_reports_do_not_count(write_run, tmp_path, name):
    folders = [write_run(tmp_path / arm) for arm in 'ab']
    for test in ('hard', 'night'):
        for folder in folders:
            shutil.copytree(folder / 'test' / 'val', folder / 'test' / test)
    path = folders[0] / 'test' / 'hard' / name
    path.write_bytes(path.read_bytes()[:-20])  # a full disk
    (folders[1] / 'test' / 'night' / name).unlink()  # killed before it was written
    found = collect_runs(list(map(str, folders)))
    assert found.tests == ('val',)
    assert sum('Not counted' in note and 'tools/test.py again' in note for note in found.notes) == 2
    shutil.rmtree(folders[0] / 'test' / 'val')
    shutil.rmtree(folders[0] / 'test' / 'night')
    with pytest.raises(DataError, match='holds no complete test .*tools/test.py again'):
        collect_runs(list(map(str, folders)))


def test_runs_without_a_common_test_set_are_refused(write_run, tmp_path):
    folders = [write_run(tmp_path / name, test=name) for name in ('val', 'hard')]
    with pytest.raises(DataError, match='different test sets .*val.*hard'):
        collect_runs(list(map(str, folders)))


def test_tests_that_some_runs_lack_are_skipped_and_named(write_run, tmp_path):
    folders = [write_run(tmp_path / name) for name in 'ab']
    shutil.copytree(folders[0] / 'test' / 'val', folders[0] / 'test' / 'hard')
    found = collect_runs(list(map(str, folders)))
    assert found.tests == ('val',)
    assert any('hard' in note for note in found.notes)


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        (['{a}'], ConfigError, 'only one arm'),
        (['x={a}', 'x={a}'], ConfigError, 'both x with seed 0'),
        (['{a}', 'nowhere'], DataError, 'nowhere is not there'),
        (['{a}', '{empty}'], DataError, 'holds no complete test'),
    ],
)
def test_mistakes_are_named(write_run, tmp_path, arguments, error, message):
    (tmp_path / 'empty').mkdir()
    places = {'a': write_run(tmp_path / 'a'), 'empty': tmp_path / 'empty'}
    with pytest.raises(error, match=message):
        collect_runs([argument.format(**places) for argument in arguments])


def test_a_reference_that_is_no_arm_is_named(runs):
    with pytest.raises(ConfigError, match='--reference coco: expected one of good, poor'):
        collect_runs(runs, 'coco')


def test_few_images_without_a_plate_have_no_interval(runs, monkeypatch):
    found = collect_runs(runs)
    with_interval = compare(found, replicates=100)[0]
    monkeypatch.setattr(comparing, 'MIN_NEGATIVES', 1000)
    without = compare(found, replicates=100)[0]
    assert set(with_interval.figures) - set(without.figures) <= {'negatives clean'}
    assert 'negatives clean' not in without.figures
    assert without.results['good', 100].mean('AP') == with_interval.results['good', 100].mean('AP')
    assert 'negatives clean' not in {d.figure for d in without.differences}
