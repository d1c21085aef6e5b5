import os

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
def test_tutorial_runs_from_start_to_end(tmp_path, monkeypatch):
    nbformat = pytest.importorskip('nbformat')
    nbclient = pytest.importorskip('nbclient')
    monkeypatch.setenv('TUTORIAL_DIR', str(tmp_path / 'tutorial'))
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]))
    notebook = nbformat.read(ROOT / 'docs' / 'tutorial.ipynb', as_version=4)
    assert not any(cell.get('outputs') for cell in notebook.cells), 'outputs are not committed'
    client = nbclient.NotebookClient(
        notebook, timeout=900, resources={'metadata': {'path': str(ROOT / 'docs')}}
    )
    client.execute()
    said = '\n'.join(
        output.get('text', '') for cell in notebook.cells for output in cell.get('outputs', ())
    )
    assert 'ready to run' in said
    assert 'training is complete' in said
    assert 'detections in 4 images' in said
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get('outputs', ())
        if 'image/png' in output.get('data', {})
    ]
    assert len(pictures) == 1
    assert (tmp_path / 'tutorial' / 'found' / 'detections.csv').is_file()
