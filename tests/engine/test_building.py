"""Building a module to look at it takes no memory, and no time for random weights."""

import subprocess
import sys

from torch import nn

from mmdet_cleargrasp.engine.checks.building import build


def test_weights_are_built_without_memory_and_later_ones_are_random(monkeypatch):
    class Initialized(nn.Sequential):
        def __init__(self, **_):
            super().__init__(nn.Linear(4, 4))
            for fill in (nn.init.normal_, nn.init.uniform_, nn.init.trunc_normal_):
                fill(self[0].weight)
            self[0].weight.data.normal_(std=2)

    monkeypatch.setattr(
        'mmdet_cleargrasp.engine.checks.building.MODELS.build', lambda cfg: Initialized()
    )
    assert all(weight.is_meta for weight in build('model', {}).parameters())
    assert Initialized()[0].weight.std() > 0.5


def test_torch_compile_is_not_imported_for_random_weights():
    code = """
import sys, torch
from mmdet_cleargrasp.engine.checks.building import build
from mmdet.registry import MODELS
from torch import nn
class Normal(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
        nn.init.normal_(self.weight)
        self.weight.data.normal_()
MODELS.register_module(module=Normal)
assert build('model', dict(type='Normal')).weight.is_meta
print('torch._dynamo' in sys.modules)
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.strip() == 'False', done.stderr
