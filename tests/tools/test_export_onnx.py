"""tools/export_onnx.py as a user runs it, on a network that was never trained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facealign.inference.aligner import FaceAligner, load_model

pytest.importorskip('mmpose', reason='exporting needs torch and MMPose')
pytest.importorskip('onnx', reason='exporting needs the package onnx')

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs' / 'onet' / 'onet_48_300w.py'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory, drawn_data) -> Path:
    os.environ['FACEALIGN_DATA'] = str(drawn_data)
    import torch
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    import facealign.plugin  # noqa: F401
    from facealign.utils.config_file import read_config

    init_default_scope('mmpose')
    path = tmp_path_factory.mktemp('checkpoint') / 'untrained.pth'
    torch.save(dict(state_dict=MODELS.build(read_config(str(CONFIG)).model).state_dict()), path)
    return path


def run(data: Path, *words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        'PYTHONPATH': str(ROOT / 'projects'),
        'FACEALIGN_DATA': str(data),
        'OMP_NUM_THREADS': '1',
        'PYTHONWARNINGS': 'ignore',
    }
    command = [sys.executable, str(ROOT / 'tools' / 'export_onnx.py'), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=280)
    assert done.returncode == status, (done.stdout[-2000:], done.stderr[-2000:])
    return done


def test_all_three_files(drawn_data: Path, checkpoint: Path, tmp_path: Path) -> None:
    out, summary = tmp_path / 'onet.onnx', tmp_path / 'summary.json'
    data = drawn_data / '300w' / 'val.json'
    words = [CONFIG, checkpoint, out, '--fp16', '--int8', '--data', data, '--summary', summary]
    done = run(drawn_data, *words)
    assert 'GFLOP a face' in done.stdout
    assert sorted(file.name for file in tmp_path.glob('*.onnx')) == ['onet.onnx', 'onet_fp16.onnx', 'onet_int8.onnx']
    numbers = json.loads(summary.read_text())
    assert numbers['export.fp32_max_error_px'] < 0.02
    assert numbers['onet.mb'] == (tmp_path / 'onet_fp16.onnx').stat().st_size / 1e6  # int8 is smaller, and optional
    for file in tmp_path.glob('*.onnx'):
        model = load_model(file)
        assert (model.info.markup.name, model.info.input_size, model.info.name) == ('ibug68', (48, 48), file.stem)
        assert 'probability' in model.info.scores
        image = next((drawn_data / 'raw' / '300w').rglob('*.jpg'))
        [face] = FaceAligner(model, 'whole')(image)
        assert face.points.shape == (68, 2)
        assert (face.scores >= 0).all() and (face.scores <= 1).all()


def test_what_does_not_go_together_is_one_line(drawn_data: Path, checkpoint: Path, tmp_path: Path) -> None:
    other = CONFIG.parents[1] / 'yinnet' / 'yinnet_128_300w.py'
    done = run(drawn_data, other, checkpoint, tmp_path / 'x.onnx', status=2)
    assert done.stderr.strip().splitlines()[-1].startswith('error: ')
    assert 'its weights are not those of this config' in done.stderr
    assert not list(tmp_path.iterdir())


def test_config_and_checkpoint_without_exporting(drawn_data: Path, checkpoint: Path) -> None:
    os.environ['FACEALIGN_DATA'] = str(drawn_data)
    image = next((drawn_data / 'raw' / '300w').rglob('*.jpg'))
    [face] = FaceAligner(f'{CONFIG}+{checkpoint}', 'whole')(image)
    assert face.points.shape == (68, 2)
