"""The rule of README.md in code: a state dict of reference weights for a backbone, and the reference input."""

import json
import sys
import zlib

import numpy as np


def reference_tensor(name: str, shape: tuple) -> np.ndarray:
    rng = np.random.default_rng(zlib.crc32(f'backbone.{name}'.encode()))
    if name.endswith('num_batches_tracked'):
        return np.array(1000, dtype=np.int64)
    if name.endswith('running_var'):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    if name.endswith('running_mean'):
        return rng.normal(0, 0.1, shape).astype(np.float32)
    if len(shape) == 4:
        return (rng.standard_normal(shape) * np.sqrt(2.0 / np.prod(shape[1:]))).astype(np.float32)
    if name.endswith('weight'):
        return rng.uniform(0.4, 0.8, shape).astype(np.float32)
    return rng.normal(0, 0.1, shape).astype(np.float32)


def reference_state_dict(keys_json: str) -> dict:
    with open(keys_json) as file:
        return {
            name: reference_tensor(name, tuple(shape)) for name, shape in json.load(file).items()
        }


def reference_image() -> np.ndarray:
    return np.random.default_rng(20201).uniform(0, 1, (1, 3, 96, 128)).astype(np.float32)


if __name__ == '__main__':
    state = reference_state_dict(sys.argv[1])
    print(
        len(state),
        'tensors;',
        sum(t.size for t in state.values()),
        'numbers; image',
        reference_image().shape,
    )
