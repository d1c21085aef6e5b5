from mmengine.config import Config

from tests.conftest import ROOT

DOCUMENTED = "_base_ = str(__import__('mmdet_cleargrasp').config_path('frcnn_cleargrasp_plates'))"


def test_a_config_inherits_one_of_the_package_without_a_checkout(tmp_path):
    (tmp_path / 'mine.py').write_text(f'{DOCUMENTED}\nmine = 1\n')
    cfg = Config.fromfile(tmp_path / 'mine.py')
    assert (cfg.model.type, cfg.mine) == ('FasterRCNN', 1)


def test_it_is_what_the_documentation_says():
    assert DOCUMENTED in (ROOT / 'docs' / 'own_data.md').read_text()
