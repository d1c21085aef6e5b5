"""Private names of other packages that this project uses: that they exist, and no others."""

import ast
import inspect

import mmengine.config.config
import pytest
import torch
from mmdet.apis import DetInferencer
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.evaluation import CocoMetric
from mmengine.config import Config, DictAction
from mmengine.model import ImgDataPreprocessor
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmengine.registry import Registry
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..conftest import ROOT

NAMES = [
    (mmengine.config.config, '_get_external_cfg_path'),
    (torch, '_disable_dynamo'),
    (Registry, '_imported'),
    (Registry, '_locations'),
    (Runner, '_log_env'),
    (Runner, '_resume'),
    (Runner, '_train_loop'),
    (EpochBasedTrainLoop, '_epoch'),
    (EpochBasedTrainLoop, '_max_epochs'),
    (EpochBasedTrainLoop, '_max_iters'),
    (OptimWrapper, '_accumulative_counts'),
    (_ParamScheduler, '_global_step'),
    (DictAction, '_parse_iterable'),
    (DetVisualizationHook, '_test_index'),
    (DetVisualizationHook, '_visualizer'),
    (Config, '_cfg_dict'),
    (DetInferencer, '_init_pipeline'),
    (CocoMetric, '_coco_api'),
    (ImgDataPreprocessor, '_channel_conversion'),
    (ImgDataPreprocessor, '_enable_normalize'),
    (torch.distributed.distributed_c10d, '_get_default_store'),
    (torch.nn.Module, '_load_from_state_dict'),
    (torch.Tensor, '_version'),
    (torch.ops.torchvision, '_roi_align_backward'),
    (torch.nn.modules.batchnorm, '_BatchNorm'),
]
#: Private names of the standard library.
STANDARD = {'_Unpickler', '_exit'}


@pytest.mark.parametrize(
    ('owner', 'name'), NAMES, ids=lambda value: getattr(value, '__name__', value)
)
def test_private_name_exists(owner, name):
    assert hasattr(owner, name) or is_set_by(owner, name)


def is_set_by(owner: type, name: str) -> bool:
    """Whether a class or one of its bases sets an attribute of its instances."""
    return any(
        f'self.{name} =' in (source := inspect.getsource(base))
        or f'self.{name}:' in source
        or f"__setattr__('{name}'" in source
        for base in owner.__mro__[:-1]
        if not base.__module__.startswith(('builtins', 'typing', 'abc'))
    )


def private_names(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Return the private names that a module uses, and all names that it defines."""
    used, defined = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            used.update(alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in (part for whole in targets for part in ast.walk(whole)):
                if isinstance(target, ast.Name):
                    defined.add(target.id)
                elif isinstance(target, ast.Attribute) and ast.unparse(target.value) == 'self':
                    defined.add(target.attr)
    private = {name for name in used if name.startswith('_') and not name.startswith('__')}
    return private, defined


def test_no_other_private_name_is_used():
    used, defined = set(), set()
    for file in (ROOT / 'mmdet_cleargrasp').rglob('*.py'):
        names = private_names(ast.parse(file.read_text(encoding='utf-8')))
        used |= names[0]
        defined |= names[1]
    assert used - defined - STANDARD <= {name for _, name in NAMES}
