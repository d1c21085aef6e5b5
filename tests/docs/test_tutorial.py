import json
import os

import pytest

from tests.conftest import ROOT

NOTEBOOK = ROOT / 'docs' / 'tutorial.ipynb'


def test_the_output_is_stored_and_names_no_computer():
    nbformat = pytest.importorskip('nbformat')
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells[2:]:
        assert cell.cell_type != 'code' or cell.outputs or 'write_text' in cell.source
    outputs = json.dumps([cell.get('outputs') for cell in notebook.cells])
    assert str(ROOT) not in outputs
    assert '/home/' not in outputs and '/root/' not in outputs
    assert NOTEBOOK.stat().st_size < 1_000_000


@pytest.mark.slow
def test_tutorial_runs_from_start_to_end(tmp_path, monkeypatch):
    nbformat = pytest.importorskip('nbformat')
    nbclient = pytest.importorskip('nbclient')
    monkeypatch.setenv('TUTORIAL_DIR', str(tmp_path / 'tutorial'))
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        cell.pop('outputs', None)
        if cell.cell_type == 'code':
            cell.outputs = []
    client = nbclient.NotebookClient(
        notebook, timeout=900, resources={'metadata': {'path': str(ROOT / 'docs')}}
    )
    client.execute()
    said = '\n'.join(
        output.get('text', '') for cell in notebook.cells for output in cell.get('outputs', ())
    )
    assert 'ready to run' in said
    assert 'training is complete' in said
    assert said.count('detections in 4 images') == 2
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get('outputs', ())
        if 'image/png' in output.get('data', {})
    ]
    assert len(pictures) == 2
    assert (tmp_path / 'tutorial' / 'found' / 'detections.csv').is_file()
