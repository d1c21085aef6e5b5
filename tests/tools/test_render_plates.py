from pathlib import Path

import pytest

from mmdet_cleargrasp.cli.render_plates import main

from ..conftest import ROOT
from ..plate_renderer.renderer import skip_without_renderer


def test_a_mistake_in_the_spec_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text('name: mine\nseed: 1\nsplits: {train: {imges: 3}}\n')
    assert main([str(path), str(tmp_path / 'out')]) == 1
    error = capsys.readouterr().err
    assert error.strip().startswith('error: ') and error.strip().count('\n') == 0
    assert 'did you mean `images`' in error
    assert not (tmp_path / 'out').exists()


def test_help_shows_commands_that_run(capsys: pytest.CaptureFixture) -> None:
    assert main(['--help']) == 0
    text = capsys.readouterr().out
    for word in text.split():
        if word.startswith('configs/'):
            assert (ROOT / word).exists()


def test_processes_below_one_are_refused(capsys: pytest.CaptureFixture) -> None:
    assert main(['a.yaml', 'b', '--processes', '0']) == 2
    assert 'expected 1 or more' in capsys.readouterr().err


def test_a_run_says_what_it_put_where(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    skip_without_renderer()
    path = tmp_path / 'mine.yaml'
    path.write_text(
        'name: mine\nseed: 1\nground_truth: boxes\n'
        'image: {width: 48, height: 36, samples: 1, depth: 4}\n'
        'plates: {classes: {petri_dish: 1}, growth: {agar: 1}}\n'
        'scene: {arrangements: {single: 1}, distractors: [0, 0]}\n'
        'splits: {train: {images: 1}}\n'
    )
    sheet = tmp_path / 'sheet.png'
    out = tmp_path / 'out'
    arguments = [str(path), str(out), '--variant', 'scalar_rgb', '--contact-sheet', str(sheet)]
    assert main(arguments) == 0
    said = capsys.readouterr().out.replace('\n', ' ')
    assert '1 of 1 images are in' in said
    assert (out / 'train' / '000000.jpg').exists() and sheet.exists()
