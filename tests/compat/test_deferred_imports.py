"""Upstream's imports of large packages are deferred, and what is deferred works as before."""

import pickle
import subprocess
import sys

import pytest

from mmdet_cleargrasp.compat.deferred_imports import DEFERRED, Deferral, Deferred, _defer


def run(code):
    done = subprocess.run(
        [sys.executable, '-c', f'import sys, mmdet_cleargrasp\n{code}'],
        capture_output=True, text=True,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return done.stdout.strip()


def test_large_packages_are_not_imported_with_the_types():
    code = """
import mmdet_cleargrasp.registered_types
large = ['torch._dynamo', 'torch._inductor', 'torch.distributed.fsdp', 'sympy', 'matplotlib',
         'scipy.optimize', 'scipy.sparse', 'supervision', 'mmdet.utils.mot_error_visualize']
print([name for name in large if name in sys.modules])
"""
    assert run(code) == '[]'


@pytest.mark.parametrize('deferral', DEFERRED, ids=lambda deferral: deferral.importer)
def test_every_row_still_applies_and_the_importer_gets_the_objects_later(deferral):
    code = f"""
import importlib
from mmdet_cleargrasp.compat.deferred_imports import Deferred
importer = importlib.import_module({deferral.importer!r})
names = [name for name, value in vars(importer).items() if isinstance(value, Deferred)
         and value.__module__ == {deferral.module!r}]
print(sorted(getattr(importer, name).__name__ for name in names))
print({deferral.module!r} in sys.modules)
real = importlib.import_module({deferral.module!r})
print(all(getattr(importer, name) in vars(real).values() for name in names))
"""
    found, imported, replaced = run(code).splitlines()
    if found == '[]':
        pytest.skip('the installed version does not import it')
    assert (found, imported, replaced) == (str(sorted(deferral.names)), 'False', 'True')


def test_deferred_functions_give_the_results_of_the_real_ones():
    code = """
import numpy as np
from mmdet.models.task_modules.assigners import hungarian_assigner
from mmdet.evaluation.metrics import crowdhuman_metric as crowd
from torchvision.ops import roi_align
module = sys.modules['torchvision.ops.roi_align']
rows, columns = hungarian_assigner.linear_sum_assignment(np.array([[4, 1], [2, 3]]))
print(rows.tolist(), columns.tolist())
graph = crowd.csr_matrix(np.array([[0, 1], [1, 1]]))
print(crowd.maximum_bipartite_matching(graph, perm_type='column').tolist())
print(module.is_compile_supported('cpu') in (True, False), module.is_compile_supported('meta'))
import torch
print(torch.jit.script(roi_align) is not None)
"""
    assert run(code).splitlines() == ['[0, 1] [1, 0]', '[1, 0]', 'True False', 'True']


def test_deferred_classes_are_found_in_registries_and_can_be_derived_from():
    code = """
import mmdet_cleargrasp.registered_types, torch
from mmdet.registry import MODEL_WRAPPERS
from mmengine.registry import STRATEGIES
from mmengine.model import MMFullyShardedDataParallel, is_model_wrapper
print(MODEL_WRAPPERS.get('MMFullyShardedDataParallel').__name__, STRATEGIES.get('FSDPStrategy').__name__)
print(is_model_wrapper(torch.nn.Linear(1, 1)), 'torch.distributed.fsdp' in sys.modules)
class Wrapper(MMFullyShardedDataParallel):
    pass
from torch.distributed.fsdp import FullyShardedDataParallel
from mmengine._strategy.fsdp import FSDPStrategy
print(issubclass(Wrapper, FullyShardedDataParallel), issubclass(Wrapper, MMFullyShardedDataParallel))
print(MODEL_WRAPPERS.get('MMFullyShardedDataParallel') is Wrapper.__bases__[0],
      STRATEGIES.get('FSDPStrategy') is FSDPStrategy)
"""
    assert run(code).splitlines() == [
        'MMFullyShardedDataParallel FSDPStrategy', 'False False', 'True True', 'True True',
    ]  # fmt: skip


def test_timm_disables_torch_compile_without_importing_it():
    pytest.importorskip('timm')
    code = """
import timm, torch
print('torch._dynamo' in sys.modules)
from timm.layers import disable_compiler
double = disable_compiler(lambda x: 2 * x)
print(double(2), torch.compile(lambda x: double(x) + 1, backend='eager')(torch.ones(1)).item())
"""
    assert run(code).split() == ['False', '4', '3.0']


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of modules; ``late`` and ``late.part`` are the ones whose import is deferred."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, 'meta_path', list(sys.meta_path))
    (tmp_path / 'late').mkdir()
    (tmp_path / 'late' / '__init__.py').write_text('other = 3\ndef f(x): return 2 * x')
    (tmp_path / 'late' / 'part.py').write_text('value = 5')
    yield tmp_path
    for name in ('early', 'nested', 'late', 'late.part'):
        sys.modules.pop(name, None)


def importer(folder, text):
    (folder / 'early.py').write_text(text)
    _defer(Deferral('early', 'late', ('f',)))


def test_a_module_that_does_not_import_the_function_is_as_before(folder):
    importer(folder, 'value = 1')  # an older or newer version
    import early

    assert early.value == 1
    assert 'late' not in sys.modules


def test_an_exception_restores_the_modules(folder):
    importer(folder, 'from late import f\nraise ValueError')
    with pytest.raises(ValueError):
        import early  # noqa: F401
    assert 'late' not in sys.modules


def test_an_imported_module_is_not_deferred(folder):
    importer(folder, 'from late import f')
    import early
    import late

    assert early.f is late.f


def test_other_imports_in_the_meantime_get_the_module_itself(folder):
    (folder / 'nested.py').write_text(
        'from late import other\nimport late.part\nfrom late.part import value\nimport late'
    )
    importer(folder, 'from late import f\nimport nested')
    import early

    assert (early.nested.other, early.nested.value, early.nested.late.part.value) == (3, 5, 5)
    assert early.nested.late is sys.modules['late']
    assert early.f(2) == 4


def test_a_deferred_function_is_pickled_as_the_function():
    import inspect
    import json

    dumps = Deferred('json', 'dumps')
    assert pickle.loads(pickle.dumps(dumps)) is json.dumps
    assert inspect.signature(dumps) == inspect.signature(json.dumps)
    with pytest.raises(ImportError):
        Deferred('no_such_module', 'f')()
