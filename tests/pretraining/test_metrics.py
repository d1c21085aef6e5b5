"""Metrics of predictions whose values are computed by hand."""

import numpy as np
import pytest
import torch

from mmdet_cleargrasp.pretraining.metrics import PretrainingMetric

H, W = 8, 10


def evaluate(predicted, truth):
    metric = PretrainingMetric()
    batch = {task: value[None] for task, value in truth.items()}
    metric.process(batch, [predicted])
    return metric.evaluate(1)


def tilted(degrees):
    """Normals that all lean to the right by an angle in degrees."""
    angle = torch.deg2rad(torch.tensor(float(degrees)))
    return torch.stack([angle.sin(), angle * 0, angle.cos()]).view(3, 1, 1).expand(3, H, W).clone()


def rectangle(columns):
    mask = torch.zeros(H, W, dtype=torch.int64)
    mask[:, :columns] = 1
    return mask


@pytest.mark.parametrize(('found', 'expected'), [(6, 1.0), (3, 0.5), (0, 0.0), (10, 0.6)])
def test_mask_iou(found, expected):
    figures = evaluate({'mask': rectangle(found)}, {'mask': rectangle(6)})
    assert figures['pretrain/mask_iou'] == pytest.approx(expected)
    assert figures['pretrain/score'] == pytest.approx(expected)


def test_outline_f1_is_the_mean_over_both_classes():
    truth = torch.zeros(H, W, dtype=torch.int64)
    truth[0], truth[1] = 1, 2
    found = truth.clone()
    found[1] = 0  # contact edges are missed
    found[2, :] = 1  # and as many false positives of depth boundaries
    figures = evaluate({'outlines': found}, {'outlines': truth})
    assert figures['pretrain/depth_boundary_f1'] == pytest.approx(2 / 3)
    assert figures['pretrain/contact_edge_f1'] == 0
    assert figures['pretrain/outlines_f1'] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ('angle', 'below'),
    # percentages below 11.25, 22.5 and 30 degrees
    [(0, (100, 100, 100)), (15, (0, 100, 100)), (25, (0, 0, 100)), (90, (0, 0, 0))],
)
def test_normals(angle, below):
    figures = evaluate({'normals': tilted(angle)}, {'normals': tilted(0)})
    assert figures['pretrain/normals_mean'] == pytest.approx(angle, abs=0.06)
    assert figures['pretrain/normals_median'] == pytest.approx(angle, abs=0.06)
    shares = [figures[f'pretrain/normals_{a}'] for a in ('11.25', '22.5', '30')]
    assert shares == pytest.approx(below)


def test_normals_are_evaluated_where_known_and_transparent():
    truth, found, mask = tilted(0), tilted(0), rectangle(5)
    found[:, :, 5:] = tilted(80)[:, :, 5:]  # wrong on the bench
    truth[:, 0] = 0  # unknown in one row
    found[:, 0] = tilted(80)[:, 0]
    figures = evaluate({'normals': found}, {'normals': truth, 'mask': mask})
    assert figures['pretrain/normals_30'] == 100


def test_mean_and_median_differ_for_mixed_errors():
    found = tilted(10)
    found[:, :, :3] = tilted(40)[:, :, :3]
    figures = evaluate({'normals': found}, {'normals': tilted(0)})
    assert figures['pretrain/normals_median'] == pytest.approx(10, abs=0.06)
    assert figures['pretrain/normals_mean'] == pytest.approx(19, abs=0.06)
    assert np.isclose(figures['pretrain/normals_11.25'], 70)
