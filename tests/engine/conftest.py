import pytest

from mmdet_cleargrasp.engine.runtimes import openvino_runtime, torch_runtime


@pytest.fixture
def inexact_openvino(monkeypatch):
    """OpenVINO's outputs differ from torch's by one percent."""

    def compile_network(network, example, bfloat16):
        run = torch_runtime.compile_network(network, example, False)
        return lambda images: [1.01 * output for output in run(images)]

    monkeypatch.setattr(openvino_runtime, 'compile_network', compile_network)
