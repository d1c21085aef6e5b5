import sysconfig

from mmengine.config import Config
from mmengine.runner import Runner

from mmdet_cleargrasp.engine.runner import build_runner


def test_nothing_is_printed_where_there_is_no_compiler(tmp_path, monkeypatch, capfd):
    monkeypatch.setitem(sysconfig.get_config_vars(), 'CC', 'no-such-compiler -pthread')
    cfg = Config({
        'model': {'type': 'mmengine.ImgDataPreprocessor'},
        'work_dir': str(tmp_path),
        'experiment_name': tmp_path.name,
        'launcher': 'none',
    })  # fmt: skip
    Runner.from_cfg(cfg)
    assert 'no-such-compiler' in capfd.readouterr().err
    cfg.experiment_name += '_quiet'
    build_runner(cfg, verbose=False)
    assert 'no-such-compiler' not in capfd.readouterr().err
