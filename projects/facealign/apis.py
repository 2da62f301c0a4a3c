"""Checkpoints read safely and whole: the one reader of all commands."""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facealign import compat
from facealign.errors import FaceAlignError


def read_checkpoint(path: str | os.PathLike[str], remedy: str = 'give another', lazily: bool = False) -> dict[str, Any]:
    """What a checkpoint file holds, on the CPU, without running anything in it.

    The file must be whole: each of its records inside of it, with the checksum
    that it was written with (torch itself does not look at them). It takes no
    more memory than its own size. The old format of torch < 1.6 is read, too.

    Args:
        path: of a regular file.
        remedy: the end of the messages.
        lazily: map its tensors from the file rather than read them.

    Raises:
        FaceAlignError: missing, damaged, no checkpoint, or one whose loading would run code.
    """
    path = Path(path)
    reason = why_damaged(path)
    if reason:
        raise FaceAlignError(f'{path}: {reason}; {remedy}')
    compat.trust_mmengine_checkpoints()  # whoever reads: with the plugin or without
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            zipped = zipfile.is_zipfile(path)
            loaded = torch.load(path, map_location='cpu', weights_only=True, mmap=True if lazily and zipped else None)
    except Exception as error:  # whatever a broken or a hostile pickle provokes
        raise FaceAlignError(
            f'{path}: not a checkpoint of weights alone, and nothing else is loaded ({type(error).__name__}): '
            f'it is damaged, none of PyTorch, or holds code; {remedy}'
        ) from error
    if not isinstance(loaded, Mapping):
        raise FaceAlignError(f'{path}: holds something else than named tensors; {remedy}')
    return dict(loaded)


def state_of(checkpoint: Mapping[str, Any], path: str | os.PathLike[str], remedy: str = 'give another') -> dict:
    """The named tensors of a checkpoint; ``DataParallel``'s prefix ``module.`` is taken off.

    Raises:
        FaceAlignError: it holds none, or anything else beside them.
    """
    state = checkpoint.get('state_dict', checkpoint)
    if not (isinstance(state, Mapping) and state and all(map(_is_plain, state.values()))):
        raise FaceAlignError(f'{path}: holds something else than named tensors; {remedy}')
    return {str(key).removeprefix('module.'): value for key, value in state.items()}


def why_damaged(path: Path) -> str | None:
    """Why a file cannot be a whole checkpoint: one line; None where nothing speaks against it.

    Cheap beside loading: the file is read once, nothing of it is interpreted.
    """
    try:
        if not path.is_file():
            return 'no such checkpoint' if not path.exists() else 'not a file'
        size = path.stat().st_size
        if not size:
            return 'is empty'
        with path.open('rb') as file:
            if file.read(4) != b'PK\x03\x04':
                return None  # of torch < 1.6, or none: its reader finds out
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
            if any(record.compress_type != zipfile.ZIP_STORED for record in records):
                return 'its records are compressed, which no checkpoint is'
            if sum(record.file_size for record in records) > size:
                return 'its records are larger than the file'
            bad = archive.testzip()
        return f'is damaged: its record {bad[:80]!r} is not as it was written' if bad else None
    except OSError as error:
        return f'cannot be read ({error.strerror or error})'
    except Exception as error:  # zipfile: BadZipFile, struct.error, EOFError, NotImplementedError …
        return f'is damaged ({_first_line(error)})'


def _is_plain(value: object) -> bool:
    return (
        isinstance(value, Tensor)
        and value.layout is torch.strided
        and not value.is_quantized
        and not value.is_complex()
        # No tensor of a million million numbers that are one and the same.
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f'{type(error).__name__}: {lines[0][:120]}' if lines else type(error).__name__
