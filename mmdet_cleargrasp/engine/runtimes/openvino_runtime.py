"""OpenVINO, on a CPU: networks are traced by torch and compiled for inputs of any size."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor, nn

from ...utils.errors import ConfigError

_ABSENT: Any = object()


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
    openvino = _import_openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    try:
        traced = _trace(network, example)
        config = {
            'INFERENCE_PRECISION_HINT': 'bf16' if bfloat16 else 'f32',
            'INFERENCE_NUM_THREADS': torch.get_num_threads(),
            'PERFORMANCE_HINT': 'LATENCY',
        }
        # What openvino.convert_model does, which also sends usage statistics over the network.
        frontend = FrontEndManager().load_by_framework('pytorch')
        decoder = TorchScriptPythonDecoder(traced)  # has to outlive the conversion
        model = frontend.convert(frontend.load(decoder))
        # Compiling sets the thread's stack for signal handlers. OpenVINO frees it but leaves it set
        # when two networks are deleted in the order in which they were compiled; the next signal
        # then ends the process. The thread that compiles here ends before.
        with ThreadPoolExecutor(1) as pool:
            compiled = pool.submit(openvino.Core().compile_model, model, 'CPU', config).result()
        request = compiled.create_infer_request()
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ConfigError(
            f'OpenVINO cannot compile this detector ({reason}): use --runtime torch'
        ) from error

    def run(images: Tensor) -> list[Tensor]:
        outputs = request.infer([images.contiguous().numpy()], share_inputs=True)
        return [torch.from_numpy(values) for values in outputs.values()]

    return run


def _import_openvino() -> Any:
    """Import OpenVINO without its usage statistics: it would send some over the network."""
    if 'openvino' in sys.modules:
        return sys.modules['openvino']
    telemetry = sys.modules.get('openvino_telemetry', _ABSENT)
    sys.modules['openvino_telemetry'] = None  # type: ignore[assignment]  # as if not installed
    try:
        return importlib.import_module('openvino')
    finally:
        if telemetry is _ABSENT:
            del sys.modules['openvino_telemetry']
        else:
            sys.modules['openvino_telemetry'] = telemetry


def _trace(network: nn.Module, example: Tensor) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torch's that tracing is deprecated, mmdet's of old names
        return torch.jit.trace(network, example, check_trace=False, strict=False)
