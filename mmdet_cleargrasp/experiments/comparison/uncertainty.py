"""Confidence intervals of figures and of differences, over test images and seeds.

A difference between arms varies with the test images and with the seed of training. Images are
many: they are resampled (a paired bootstrap, with the same images for both arms). Seeds are few,
and a bootstrap over three seeds gives intervals that are far too narrow. Their measured spread is
added to every replicate instead, and the interval is widened by Student's t distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with the interval around it.

    Attributes:
        estimate: From the test set as it is, mean over seeds.
        low: Lower end.
        high: Upper end.
        over_seeds: The interval covers the variation over seeds, not only that over images.
    """

    estimate: float
    low: float
    high: float
    over_seeds: bool

    @property
    def covers_zero(self) -> bool:
        """Whether 0 lies within the interval."""
        return self.low <= 0 <= self.high


def draw_weights(images: int, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Draw how often each image counts in each replicate; the first row is the original test set.

    Args:
        images: I, number of images.
        replicates: B, number of resamplings.
        rng: Random generator.

    Returns:
        Ndarray: (B + 1, I), int.

    Example:
        >>> draw_weights(3, 2, np.random.default_rng(0)).sum(axis=1).tolist()
        [3, 3, 3]
    """
    drawn = rng.multinomial(images, np.full(images, 1 / images), size=replicates)
    return np.concatenate([np.ones((1, images), dtype=int), drawn])


def mean_interval(
    values: np.ndarray, rng: np.random.Generator, images: int, level: float = LEVEL
) -> Interval | None:
    """The interval of one arm's figure.

    Args:
        values: (S, B + 1), the figure by seed and replicate, with the original test
            set in column 0; NaN where nothing could be measured.
        rng: Random generator.
        images: I, images of the test set.
        level: Confidence level.

    Returns:
        ``None`` where the figure could not be measured.
    """
    values = np.asarray(values, dtype=float)
    return _interval(values.mean(axis=0), [values[:, 0]], len(values) > 1, images, rng, level)


def difference_interval(
    arm: np.ndarray,
    reference: np.ndarray,
    rng: np.random.Generator,
    images: int,
    paired: bool = True,
    level: float = LEVEL,
) -> Interval | None:
    """The interval of a difference between two arms on the same images.

    Args:
        arm: (S, B + 1), as :func:`mean_interval` takes it.
        reference: (S', B + 1), from the same replicates.
        rng: Random generator.
        images: I, images of the test set.
        paired: Each row of both has the same seed, that is, the same training images in the
            same order; S and S' are then equal.
        level: Confidence level.

    Returns:
        Of arm minus reference; ``None`` where it could not be measured.

    Example:
        >>> same = np.random.default_rng(0).random((3, 101))
        >>> difference_interval(same, same, np.random.default_rng(0), images=48)
        Interval(estimate=0.0, low=0.0, high=0.0, over_seeds=True)
    """
    arm, reference = np.asarray(arm, dtype=float), np.asarray(reference, dtype=float)
    if paired:
        by_seed = [arm[:, 0] - reference[:, 0]]
        drawn = (arm - reference).mean(axis=0)
    else:
        by_seed = [arm[:, 0], reference[:, 0]]
        drawn = arm.mean(axis=0) - reference.mean(axis=0)
    over_seeds = min(len(arm), len(reference)) > 1
    return _interval(drawn, by_seed, over_seeds, images, rng, level)


def _interval(
    drawn: np.ndarray,
    by_seed: list[np.ndarray],
    over_seeds: bool,
    images: int,
    rng: np.random.Generator,
    level: float,
) -> Interval | None:
    estimate, drawn = float(drawn[0]), drawn[1:]
    drawn = drawn[~np.isnan(drawn)]
    if np.isnan(estimate) or not len(drawn):
        return None
    variances, freedoms = [drawn.var()], [max(images - 1, 1)]
    if over_seeds:
        for values in by_seed:
            variances.append(values.var(ddof=1) / len(values))
            freedoms.append(len(values) - 1)
        drawn = drawn + np.sqrt(sum(variances[1:])) * rng.standard_normal(len(drawn))
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    ends = np.quantile(drawn, tails) - estimate
    low, high = estimate + ends * _stretch(variances, freedoms, tails[1])
    return Interval(estimate, float(low), float(high), over_seeds)


def _stretch(variances: list[float], freedoms: list[int], quantile: float) -> float:
    """The factor by which a quantile is wider for few images and seeds than for many.

    Student's t against the normal distribution, with the degrees of freedom of a sum of variances
    after Satterthwaite (Biometrics Bulletin 2, 1946).
    """
    total = sum(variances)
    if not total:
        return 1.0
    freedom = total**2 / sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    return float(t.ppf(quantile, freedom) / norm.ppf(quantile))
