"""MMEngine config files, which are code: whatever comes out of one is a line about it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError


def read_config(path: str | os.PathLike[str], *parts: str, import_modules: bool = True) -> Any:
    """The config in a file.

    Args:
        path: of the file.
        parts: what it must have, such as ``model`` or ``train_dataloader.dataset.ann_file``.
        import_modules: whether its ``custom_imports`` are done.

    Raises:
        FaceAlignError: missing, not a regular file, not a config, or without one of ``parts``.
    """
    from mmengine.config import Config

    if not Path(path).is_file():
        raise FaceAlignError(f'{path}: no such config; see configs/')
    try:
        config = Config.fromfile(path, import_custom_modules=import_modules)
    except (Exception, SystemExit) as error:
        raise FaceAlignError(f'{path}: not a config that can be read ({error}); correct it') from error
    for part in parts:
        value: Any = config
        for name in part.split('.'):
            if not hasattr(value, 'get') or value.get(name) is None:
                raise FaceAlignError(f'{path}: has no {part}; choose a config of configs/')
            value = value[name]
    return config
