from collections import OrderedDict

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from mmdet_cleargrasp.engine.hooks import PlainCheckpointHook


def test_torch_reads_a_saved_log_history_and_mmengine_gets_it_back(tmp_path):
    history = HistoryBuffer()
    history.update(0.5)
    history.update(2, count=3)
    hub = {
        'log_scalars': OrderedDict(loss=history),
        'runtime_info': {'best_score': np.float64(0.25), 'epoch': 3},
        'resumed_keys': {'loss': True},
    }
    checkpoint = {'message_hub': hub, 'meta': {'palette': [(1, 2)], 'seed': np.int64(0)}}
    hook = PlainCheckpointHook()
    hook.before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / 'run.pth')

    checkpoint = torch.load(tmp_path / 'run.pth', weights_only=True)
    assert checkpoint['message_hub']['runtime_info'] == {'best_score': 0.25, 'epoch': 3}
    assert checkpoint['meta'] == {'palette': [(1, 2)], 'seed': 0}
    hook.after_load_checkpoint(None, checkpoint)
    restored = checkpoint['message_hub']['log_scalars']['loss']
    assert restored.mean() == history.mean() == 0.625
    assert restored.data[0].dtype == history.data[0].dtype
    assert restored.data[1].tolist() == [1, 3]


def test_checkpoints_without_a_history_are_left_alone():
    checkpoint = {'state_dict': {}}
    PlainCheckpointHook().after_load_checkpoint(None, checkpoint)
    assert checkpoint == {'state_dict': {}}
