"""OpenVINO, on a CPU: networks are traced by torch and compiled for inputs of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ...utils.errors import ConfigError


def compile_network(
    network: nn.Module, example: Tensor, bfloat16: bool
) -> Callable[[Tensor], list[Tensor]]:
    """Compile a network with OpenVINO. Takes about a second for a ResNet-50.

    Args:
        network: Returns tensors, and has no branches on their values.
        example: An input that it is traced with.
        bfloat16: Compute in bfloat16, on processors with instructions for it.

    Raises:
        ConfigError: The network cannot be compiled.
    """
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    try:
        traced: Any = torch.jit.trace(network, example, check_trace=False, strict=False)
        config = {
            'INFERENCE_PRECISION_HINT': 'bf16' if bfloat16 else 'f32',
            'INFERENCE_NUM_THREADS': torch.get_num_threads(),
            'PERFORMANCE_HINT': 'LATENCY',
        }
        # What openvino.convert_model does, which also sends usage statistics over the network.
        frontend = FrontEndManager().load_by_framework('pytorch')
        decoder = TorchScriptPythonDecoder(traced)  # has to outlive the conversion
        model = frontend.convert(frontend.load(decoder))
        request = openvino.Core().compile_model(model, 'CPU', config).create_infer_request()
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ConfigError(
            f'OpenVINO cannot compile this detector ({reason}): use --runtime torch'
        ) from error

    def run(images: Tensor) -> list[Tensor]:
        outputs = request.infer([images.contiguous().numpy()], share_inputs=True)
        return [torch.from_numpy(values) for values in outputs.values()]

    return run
