"""The reference weights as tensors."""

from pathlib import Path

import torch

from tests.parity.reference_weights import reference_state_dict

PARITY = Path(__file__).parent


def load_reference(name: str) -> dict[str, torch.Tensor]:
    arrays = reference_state_dict(str(PARITY / f'{name}.keys.json'))
    return {key: torch.as_tensor(value) for key, value in arrays.items()}
