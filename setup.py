"""Packaging: the bare install is the light inference part; extras are read from requirements/*.txt."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """The requirements in requirements/NAME.txt, without its comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


setup(
    name='facealign',
    version=re.search(r"__version__ = '(.+)'", (ROOT / 'projects/facealign/__init__.py').read_text()).group(1),
    description='Facial landmarks, 68 and 106 points: training, measuring and inference, as an MMPose plug-in',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8') if (ROOT / 'README.md').exists() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    python_requires='>=3.10',
    package_dir={'': 'projects'},
    packages=find_packages('projects'),
    package_data={'': ['*.json'], 'facealign': ['py.typed', 'weights/*.onnx', 'weights/*.md']},
    install_requires=requirements('inference'),
    # mmengine, mmcv, mmdet and mmpose are not in [train]: see requirements/openmmlab.txt
    extras_require={name: requirements(name) for name in ('train', 'serve', 'h5', 'heif', 'test')},
    entry_points={'console_scripts': ['facealign = facealign.cli:main']},
)
