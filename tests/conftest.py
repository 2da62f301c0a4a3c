"""Fixtures for all tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no folder
from tiny_models import make_model  # noqa: E402, F401

# A busy machine is slow now and then; that is no error of the code.
hypothesis.settings.register_profile('facealign', deadline=None)
hypothesis.settings.load_profile('facealign')

ROOT = Path(__file__).resolve().parents[1]
_BESIDE = ROOT.parent / 'shared'


@pytest.fixture(scope='session')
def shared() -> Path:
    """The folder of third-party development data; a test that asks for it skips where it is not."""
    named = os.environ.get('FACEALIGN_SHARED')
    folder = Path(named) if named else _BESIDE
    if not (folder / 'data').is_dir():
        pytest.skip(
            f'needs the development data (real faces, peer models): {folder} is not there; set FACEALIGN_SHARED'
        )
    return folder


@pytest.fixture(scope='session')
def drawn_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ``FACEALIGN_DATA``: 48 drawn faces, converted as the configs expect them."""
    from facealign.conversion.convert import Options, convert
    from facealign.synthetic.write import Sample, draw_sample

    data = tmp_path_factory.mktemp('drawn')
    draw_sample(data / 'raw', Sample(num=48, size=128), workers=1)
    for name, val in (('300w', 'random:0.2'), ('300w_85_15', 'random:0.15')):
        convert('300w', data / 'raw' / '300w', data / name, Options(val=val, workers=1))
    for name, val in (('300w_pack', 'random:0.2'), ('300w_pack_85_15', 'random:0.15')):
        # Boxes as of a detector: they differ from the landmark rectangle, and every fifth face is missed.
        convert('300w', data / 'raw' / '300w', data / name, Options(split='random:0.25', val=val, workers=1))
        _detect(data / name)
    datatang = Options(split='modulo', val=None, workers=1)
    convert('datatang', data / 'raw' / 'datatang106', data / 'datatang106', datatang)
    _complete(data / '300w/fit.json', data / '300w/train.json')
    _complete(data / 'datatang106/train.json', data / 'datatang106/val.json')
    (data / 'drawn').mkdir()
    for name in ('300w', 'datatang106'):
        (data / 'drawn' / name).symlink_to(data / name)
    for name in ('scut', 'muct', 'fgnet', 'london', 'unlabelled'):
        (data / name).symlink_to(data / '300w')
    return data


def _complete(*paths: Path) -> None:
    from facealign.datasets.complete import complete_file
    from facealign.utils.config_file import read_config

    config = read_config(str(ROOT / 'configs/integral/lite_128_joint.py'))
    for path in paths:
        out = path.with_name(f'{path.stem}_completed.json')
        complete_file(path, out, config, str(ROOT / 'docs/results/weights/lite_128_joint_fp16.pth'))


def _detect(folder: Path) -> None:
    for path in folder.glob('*.json'):
        coco = json.loads(path.read_text())
        for i, face in enumerate(coco.get('annotations', [])):
            x, y, w, h = face['bbox']
            face['face_bbox'] = None if i % 5 == 4 else [x - 0.05 * w, y + 0.1 * h, 1.1 * w, 1.1 * w]
        path.write_text(json.dumps(coco))


@pytest.fixture(scope='session')
def run_tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``tools/NAME`` with arguments, as a user would; keyword arguments are environment variables."""

    def run(name: str, *args: object, timeout: float = 250, **env: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(part for part in (str(ROOT / 'projects'), os.environ.get('PYTHONPATH')) if part)
        program = ['bash'] if name.endswith('.sh') else [sys.executable]
        return subprocess.run(
            [*program, str(ROOT / 'tools' / name), *map(str, args)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, 'PYTHONPATH': path, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1', **env},
        )

    return run
