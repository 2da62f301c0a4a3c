"""What a user without torch gets: few packages, and a quick start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'mmpose', 'scipy', 'matplotlib', 'PIL', 'onnx', 'gradio')


def python(code: str, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, 'PYTHONPATH': str(ROOT / 'projects'), 'FACEALIGN_YUNET': ''}
    done = subprocess.run(
        [sys.executable, '-c', code, *map(str, words)], capture_output=True, text=True, env=environment, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done


BLOCK = f"""
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {HEAVY}:
            raise ImportError(name + ' is blocked')
sys.meta_path.insert(0, Block())
"""


def test_everything_but_the_page_s_check_runs_without_heavy_packages(make_model, tmp_path: Path) -> None:
    modules = [path.stem for path in (ROOT / 'projects' / 'facealign' / 'inference').glob('*.py')]
    imports = '\n'.join(f'import facealign.inference.{name}' for name in sorted(modules) if name != '__init__')
    python(BLOCK + 'from facealign import FaceAligner\n' + imports)
    align = BLOCK + 'import cv2, numpy as np; from facealign import cli\n'
    align += 'cv2.imwrite(sys.argv[1], np.zeros((50, 50, 3), np.uint8))\n'
    align += 'sys.argv[1:] = ["align", sys.argv[1], "--model", sys.argv[2], "--detector", "whole", "--save-images", '
    align += '"--out", sys.argv[3]]\ncli.main()'
    python(align, tmp_path / 'x.png', make_model(), tmp_path / 'out')
    assert (tmp_path / 'out' / 'images' / 'x.jpg').is_file()


def test_the_start_takes_less_than_a_second() -> None:
    """Processor time, which other work on the machine does not lengthen much."""
    spent = 'import resource; u = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)'
    assert float(python(f'import facealign.inference.align_files, facealign.cli; {spent}').stdout) < 1.0
    loaded = python('import sys, facealign; print({"numpy", "cv2", "onnxruntime"} & set(sys.modules))')
    assert loaded.stdout.strip() == 'set()'
