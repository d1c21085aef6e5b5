"""Detectors with random weights that find something, as training would have left them."""

import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope

from mmdet_cleargrasp import config_path
from mmdet_cleargrasp.engine.run_config import load_config


def random_run(name, work_dir, **changes):
    """A detector of a config with random weights, as training would have left it."""
    cfg = load_config(config_path(name))
    cfg.merge_from_dict(changes)
    init_default_scope('mmdet')
    torch.manual_seed(0)
    cfg.model.backbone.update(frozen=False, init_cfg=None)
    cfg.model.init_cfg = None
    model = MODELS.build(cfg.model)
    model.init_weights()
    with torch.no_grad():  # so that scores differ, and some are high, but none is 1
        if name.startswith('retinanet'):
            maps, _ = model.eval().bbox_head(model.extract_feat(torch.randn(1, 3, 96, 96)))
            model.bbox_head.retina_cls.weight.mul_(1.5 / maps[0].std())
        for parameter, value in model.named_parameters():
            if parameter.endswith(('fc_cls.weight', 'rpn_cls.weight')):
                value.mul_(4 if 'efficientnet' in name else 12)
            if parameter == 'bbox_head.retina_cls.bias':
                value.fill_(-3)
    for step in cfg.test_dataloader.dataset.pipeline:
        if 'scale' in step:
            step.scale = (96, 96)
    cfg.dump(work_dir / f'{name}.py')
    meta = {'dataset_meta': {'classes': cfg.test_dataloader.dataset.metainfo.classes}}
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, work_dir / 'epoch_1.pth')
    return work_dir


# A single level of a ResNet-18 in AlexNet's place, and short towers: a graph of a few seconds.
ONE_LEVEL = {'type': 'ClearGraspResNet', 'depth': 18, 'out_indices': (2,), '_delete_': True}
SHORT = {
    'frcnn_alexnet_plates': {'model.backbone': ONE_LEVEL},
    'retinanet_cleargrasp_plates': {
        'model.backbone.depth': 18, 'model.bbox_head.stacked_convs': 1,
        'model.neck.in_channels': [64, 128, 256, 512],
    },
}  # fmt: skip
