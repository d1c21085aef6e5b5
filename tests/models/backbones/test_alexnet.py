import torch
from torchvision.models import AlexNet as TorchvisionAlexNet

from mmdet_cleargrasp.checkpoints import load_backbone
from mmdet_cleargrasp.models.backbones import AlexNet
from tests.published_files import torchvision_alexnet


def test_maps_equal_torchvision_without_the_last_pooling(tmp_path):
    content = torchvision_alexnet()
    torch.save(content, tmp_path / 'alexnet.pth')
    backbone = AlexNet(frozen=True).eval()
    file = load_backbone(backbone, tmp_path / 'alexnet.pth')
    assert file.skipped == {'classifier': 3}
    with torch.device('meta'):
        features = TorchvisionAlexNet().features
    features = features.to_empty(device='cpu').eval()
    features.load_state_dict({k[9:]: v for k, v in content.items() if k.startswith('features.')})
    images = torch.rand(1, 3, 127, 192)
    with torch.no_grad():
        (found,), expected = backbone(images), features[:-1](images)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert (found.shape[1],) == backbone.out_channels
    assert backbone.out_strides == (16,)
