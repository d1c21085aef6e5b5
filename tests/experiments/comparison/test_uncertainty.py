"""Intervals on cases whose answer is known, and how often they hold the true value."""

import numpy as np
import pytest

from mmdet_cleargrasp.experiments.comparison.matching import Cell, Matches, figures, score
from mmdet_cleargrasp.experiments.comparison.uncertainty import (
    difference_interval,
    draw_weights,
    mean_interval,
)


def simulate(rng, images, chance):
    """A run that finds each image's one plate with some chance and invents others.

    ``chance`` is one number, or one an image.
    """
    found = np.flatnonzero(rng.random(images) < chance)
    invented = rng.integers(0, images, size=images // 2)
    image = np.concatenate([found, invented])
    hit = np.arange(len(image)) < len(found)
    confidence = np.where(hit, rng.beta(4, 2, len(image)), rng.beta(2, 4, len(image)))
    order = np.argsort(-confidence)
    cell = Cell(
        image[order], hit[None, order], np.ones((1, len(image)), bool), np.ones(images, int)
    )
    recall = np.linspace(0, 1, 101)
    return Matches(tuple(range(images)), ('plate',), np.array([0.5]), recall, {'all': (cell,)})


def average_precision(matches, weights):
    return figures(score(matches, weights), matches)['AP']


def simulate_arms(rng, images, chances, seeds, seed_spread, replicates=200):
    """AP by arm, seed and replicate. Images are equally easy or hard for both arms."""
    weights = draw_weights(images, replicates, rng)
    hardness = rng.normal(0, 0.15, images)
    arms = []
    for chance in chances:
        luck = rng.normal(0, seed_spread, seeds)
        rows = [simulate(rng, images, chance + hardness + shift) for shift in luck]
        arms.append(np.stack([average_precision(row, weights) for row in rows]))
    return arms


def test_identical_runs_differ_by_exactly_nothing():
    arm, _ = simulate_arms(np.random.default_rng(0), 40, (0.6, 0.6), 3, 0.05)
    interval = difference_interval(arm, arm.copy(), np.random.default_rng(1), 40)
    assert (interval.estimate, interval.low, interval.high) == (0, 0, 0)
    assert interval.covers_zero


def test_a_planted_difference_is_found():
    better, worse = simulate_arms(np.random.default_rng(0), 60, (0.9, 0.5), 3, 0.01)
    interval = difference_interval(better, worse, np.random.default_rng(1), 60)
    assert interval.low > 0.1
    turned = difference_interval(worse, better, np.random.default_rng(1), 60)
    assert turned.high < -0.1


def test_a_difference_within_the_spread_of_seeds_is_not_called_one():
    # On any one pair of runs it would be: many images, but seeds that scatter more than arms do.
    rng = np.random.default_rng(3)
    arms = simulate_arms(rng, 400, (0.62, 0.58), 3, 0.1)
    shifted = arms[0] - arms[0][:, :1].mean() + arms[1][:, :1].mean() + 0.04
    interval = difference_interval(shifted, arms[1], rng, 400)
    assert interval.covers_zero
    alone = difference_interval(
        shifted.mean(0, keepdims=True), arms[1].mean(0, keepdims=True), rng, 400
    )
    assert not alone.over_seeds
    assert alone.high - alone.low < 0.5 * (interval.high - interval.low)


def test_one_seed_gives_an_interval_over_images_only():
    arm, reference = simulate_arms(np.random.default_rng(0), 40, (0.7, 0.6), 1, 0)
    assert not difference_interval(arm, reference, np.random.default_rng(0), 40).over_seeds
    assert not mean_interval(arm, np.random.default_rng(0), 40).over_seeds


def test_nan_values_have_no_interval():
    values = np.full((2, 11), np.nan)
    assert difference_interval(values, values, np.random.default_rng(0), 40) is None
    assert mean_interval(values, np.random.default_rng(0), 40) is None


def test_replicates_without_a_box_of_a_class_are_skipped():
    arm = np.array([[0.5, np.nan, 0.4, 0.6]])
    interval = mean_interval(arm, np.random.default_rng(0), 40)
    assert 0.4 <= interval.low <= interval.high <= 0.6


@pytest.mark.parametrize('paired', [True, False])
@pytest.mark.parametrize(
    ('seeds', 'seed_spread'), [(1, 0.0), (3, 0.0), (3, 0.08), (5, 0.08)],
    ids=['one seed', 'seeds of low variance', 'three seeds that scatter', 'five seeds that scatter'],
)  # fmt: skip
def test_intervals_cover_the_true_difference_as_often_as_stated(seeds, seed_spread, paired):
    # Both arms have the same chances, so that the true difference is 0.
    rng = np.random.default_rng([seeds, int(seed_spread * 100)])
    trials = 250
    held = sum(
        difference_interval(*simulate_arms(rng, 40, (0.6, 0.6), seeds, seed_spread), rng, 40, paired).covers_zero
        for _ in range(trials)
    )  # fmt: skip
    # 95 % are promised; 250 trials scatter by 1.4 %, and few images cost a little.
    assert held / trials > 0.91
