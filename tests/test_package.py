"""What the package promises as a whole: light imports, one version, extras that agree with requirements/."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import facealign

ROOT = Path(__file__).parents[1]
HEAVY = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'mmpose', 'matplotlib', 'xtcocotools')
LIGHT = (
    'facealign',
    'facealign.cli',
    'facealign.markup',
    'facealign.utils.files',
    'facealign.inference',
    'facealign.conversion.convert',
    'facealign.synthetic.write',
)


def run_python(code: str, folder: Path = ROOT / 'projects') -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=folder)


@pytest.mark.parametrize(
    ('blocked', 'modules'),
    [
        # dlib comes with the light part, but is loaded only where it is used
        ((*HEAVY, 'dlib', 'scipy'), LIGHT),
        ((*HEAVY, 'dlib'), ('facealign.metrics',)),
    ],
)
def test_light_parts_import_without_the_heavy_packages(blocked: tuple[str, ...], modules: tuple[str, ...]):
    code = f'import sys\nfor name in {blocked}: sys.modules[name] = None\n'
    result = run_python(code + ''.join(f'import {module}\n' for module in modules))
    assert result.returncode == 0, result.stderr


def test_facealign_alone_imports_nothing_but_the_standard_library():
    result = run_python('import sys, facealign\nprint([m for m in ("numpy", "cv2", "rich") if m in sys.modules])')
    assert result.stdout.strip() == '[]', result.stderr


def test_the_face_aligner_is_found_in_the_package():
    result = run_python('from facealign import FaceAligner; print(FaceAligner.__module__)')
    assert result.stdout.startswith('facealign.inference'), result.stderr


def requirements(name: str) -> list[str]:
    lines = (ROOT / f'requirements/{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


@pytest.fixture(scope='module')
def setup_arguments() -> dict:
    """What setup.py hands to setuptools."""
    code = (
        'import json, runpy, setuptools\n'
        'setuptools.setup = lambda **arguments: print(json.dumps(arguments))\n'
        'runpy.run_path("setup.py")'
    )
    result = run_python(code, ROOT)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_version_is_the_packages(setup_arguments: dict):
    assert setup_arguments['version'] == facealign.__version__
    assert re.fullmatch(r'\d+\.\d+\.\d+', facealign.__version__)


def test_extras_are_the_requirements_files(setup_arguments: dict):
    assert setup_arguments['install_requires'] == requirements('inference')
    for name, listed in setup_arguments['extras_require'].items():
        assert listed == requirements(name)
    files = {path.stem for path in (ROOT / 'requirements').glob('*.txt')}
    assert files == {'inference', 'openmmlab', 'lock-py311', *setup_arguments['extras_require']}


def test_the_bare_install_is_light(setup_arguments: dict):
    names = {re.split(r'[<>=; ]', line)[0] for line in setup_arguments['install_requires']}
    assert names.isdisjoint({*HEAVY, 'mmcv-lite', 'scipy', 'gradio'})


def test_every_package_is_installed(setup_arguments: dict):
    folders = {path.parent for path in (ROOT / 'projects/facealign').rglob('*.py')}
    packages = {'.'.join(folder.relative_to(ROOT / 'projects').parts) for folder in folders}
    assert set(setup_arguments['packages']) == packages


def test_every_data_file_is_installed(setup_arguments: dict):
    package = ROOT / 'projects/facealign'
    patterns = setup_arguments['package_data']
    installed = {file for pattern in patterns['facealign'] for file in package.glob(pattern)}
    installed |= {file for pattern in patterns[''] for file in package.rglob(pattern)}
    files = {file for file in package.rglob('*') if file.is_file() and file.suffix not in ('.py', '.pyc')}
    assert files == installed


@pytest.mark.parametrize('name', ['inference', 'train', 'openmmlab', 'h5', 'heif', 'test'])
def test_the_lock_fulfils_the_ranges(name: str):
    from packaging.requirements import Requirement

    locked = dict(line.split('==') for line in requirements('lock-py311'))
    for line in requirements(name):
        wanted = Requirement(line)
        if wanted.name == 'torch' or (wanted.marker and not wanted.marker.evaluate({'python_version': '3.11'})):
            continue
        assert wanted.name.lower() in {key.lower() for key in locked}, f'{wanted.name} is not in the lock'
        version = next(value for key, value in locked.items() if key.lower() == wanted.name.lower())
        assert wanted.specifier.contains(version), f'{line}: the lock has {version}'


def test_nothing_is_reported_to_the_makers_of_a_library(make_model, tmp_path: Path):
    """onnxruntime 1.3x keeps a device number and a database of its uses to send, unless it is told not to."""
    code = """
        import sys, numpy as np
        from facealign import FaceAligner
        FaceAligner(sys.argv[1], 'whole')(np.zeros((64, 64, 3), np.uint8), color='bgr')
    """
    for name in ('home', 'temporary'):
        (tmp_path / name).mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith('ORT_')}
    environment |= {'HOME': str(tmp_path / 'home'), 'TMPDIR': str(tmp_path / 'temporary')}
    environment |= {'PYTHONPATH': str(ROOT / 'projects')}
    model = str(make_model())
    subprocess.run([sys.executable, '-c', textwrap.dedent(code), model], env=environment, check=True)
    assert [path for name in ('home', 'temporary') for path in (tmp_path / name).rglob('*')] == []
