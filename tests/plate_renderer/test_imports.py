import ast
import subprocess
import sys
from pathlib import Path

import pytest

import plate_renderer
from plate_renderer.objects.plates import CATEGORIES

ROOT = Path(plate_renderer.__file__).parent
HEAVY = {'torch', 'mmcv', 'mmengine', 'mmdet', 'mmdet_cleargrasp'}

PROGRAM = """
import multiprocessing, sys, torch
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from plate_renderer.output import dataset

pool = ProcessPoolExecutor(1, multiprocessing.get_context('spawn'))
with dataset._main_hidden():
    # Unpickling the function imports its module, as for every task.
    pool.submit(dataset.png, dataset.np.zeros((1, 1), 'uint8')).result()
print(' '.join(pool.submit(eval, '__import__("sys").modules.keys() | []').result()))
"""


@pytest.mark.parametrize('path', sorted(ROOT.rglob('*.py')), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_renderer_imports_neither_the_plugin_nor_torch(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
    names += [n.module or '' for n in nodes if isinstance(n, ast.ImportFrom) and not n.level]
    assert not {name.split('.')[0] for name in names} & HEAVY


def test_workers_do_not_load_torch_if_the_main_program_did(tmp_path: Path) -> None:
    program = tmp_path / 'program.py'
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert 'plate_renderer.output.dataset' in loaded
    assert not loaded & HEAVY


def test_classes_equal_those_of_the_configs() -> None:
    namespace: dict = {}
    exec((ROOT.parent / 'configs' / '_base_' / 'datasets' / 'plates.py').read_text(), namespace)
    assert namespace['classes'] == CATEGORIES
