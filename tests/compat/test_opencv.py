"""``import cv2`` without X libraries names the two commands that fix it."""

import subprocess
import sys


def test_opencv_without_x_libraries_says_what_to_install(tmp_path):
    (tmp_path / 'cv2').mkdir()
    (tmp_path / 'cv2' / '__init__.py').write_text("raise ImportError('libxcb.so.1: cannot open')")
    code = (
        f'import sys; sys.path.insert(0, {str(tmp_path)!r}); import mmdet_cleargrasp\n'
        'from mmdet_cleargrasp.inference import PlateDetector'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert 'pip uninstall -y opencv-python' in last
    assert 'pip install --force-reinstall opencv-python-headless' in last
