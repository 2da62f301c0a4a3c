"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

PROJECTS = Path(__file__).parents[1] / 'projects'
MODULES = sorted(
    '.'.join(path.relative_to(PROJECTS).with_suffix('').parts).removesuffix('.__init__')
    for path in (PROJECTS / 'facealign').rglob('*.py')
    if '>>> ' in path.read_text(encoding='utf-8')
)


@pytest.fixture(scope='module', autouse=True)
def _mmpose() -> None:
    import facealign.plugin  # noqa: F401 - before any module that imports MMPose


@pytest.mark.parametrize('name', MODULES)
def test_examples(name: str):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
