"""Which checkpoint a training goes on from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facealign.apis import read_checkpoint, state_of
from facealign.errors import FaceAlignError
from facealign.utils.reading import read_text

LAST = 'last_checkpoint'
_NUMBERED = re.compile(r'(?!best_|\.).*_\d+\.pth')  # epoch_5.pth, iter_1000.pth
_LONGEST_PATH, _LONGEST_NAME = 4096, 255  # bytes
_REMEDY = 'give a .pth that tools/train.py wrote'


@dataclass(frozen=True)
class Found:
    """A checkpoint to go on from.

    Attributes:
        path: of the file.
        note: why it is not the one that ``last_checkpoint`` names; empty where it is.
    """

    path: Path
    note: str = ''

    def __str__(self) -> str:
        return f'{self.path}: {self.note}' if self.note else str(self.path)


def find_checkpoint(work_dir: str | os.PathLike[str]) -> Found | None:
    """The newest whole checkpoint of a work dir that a training can go on from; None where there never was one.

    Newest by the time that it says it was written at, then by its iteration:
    files may have been copied. Best checkpoints have no optimiser and are not
    gone on from.

    Raises:
        FaceAlignError: there are checkpoints, and none is whole; or one is named, and there is none.
    """
    work_dir = Path(work_dir)
    named = _named(work_dir)
    candidates = [path for path in work_dir.glob('*.pth') if _NUMBERED.fullmatch(path.name)]
    if named is not None and named not in candidates and os.path.isfile(named):
        candidates.append(named)
    whole: list[tuple[str, int, Path]] = []
    refused: dict[str, str] = {}
    for path in candidates:
        try:
            meta = check_resumable(path)['meta']
            whole.append((str(meta.get('time', '')), meta['iter'], path))
        except FaceAlignError as error:
            refused[path.name] = str(error).removeprefix(f'{path}: ').removesuffix(f'; {_REMEDY}')
    if not whole:
        _refuse(work_dir, named, refused)
        return None
    newest = max(whole)[2]
    if named is None:
        return Found(newest, '' if not refused else f'not whole: {_list(refused)}')
    if newest.name == named.name:
        return Found(newest)
    if named.name in refused:
        reason = f'{named.name}, which {LAST} names, {refused[named.name]}'
    elif any(path.name == named.name for _, _, path in whole):
        reason = f'it is newer than {named.name}, which {LAST} names'
    else:
        reason = f'{named.name}, which {LAST} names, is missing'
    return Found(newest, reason)


def _refuse(work_dir: Path, named: Path | None, refused: dict[str, str]) -> None:
    if refused:
        raise FaceAlignError(f'{work_dir}: no checkpoint to go on from ({_list(refused)}); remove them to begin anew')
    if named is not None:
        raise FaceAlignError(
            f'{work_dir / LAST}: names {named.name}, which is missing, and no other checkpoint is there; '
            'remove it to begin anew'
        )


def check_resumable(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a checkpoint holds, its tensors left in the file, if a training can go on from it.

    Raises:
        FaceAlignError: missing, damaged, unsafe, or weights alone.
    """
    checkpoint = read_checkpoint(path, _REMEDY, lazily=True)
    state_of(checkpoint, path, _REMEDY)
    meta, hub = checkpoint.get('meta'), checkpoint.get('message_hub')
    counted = isinstance(meta, Mapping) and all(_is_count(meta.get(key)) for key in ('epoch', 'iter'))
    if not (counted and isinstance(hub, Mapping) and isinstance(checkpoint.get('optimizer'), Mapping)):
        raise FaceAlignError(
            f'{path}: holds weights alone, not the state of a training; start from it by '
            f'load_from, or {_REMEDY} for going on'
        )
    if not (_is_hub(hub) and isinstance((meta or {}).get('seed', 0), int | None)):
        raise FaceAlignError(f'{path}: its state of a training is not one of MMEngine; {_REMEDY}')
    return checkpoint


def _is_hub(hub: Mapping[str, Any]) -> bool:
    """Whether what a training goes on from in MMEngine's message hub is of the kinds that its hooks take."""
    info = hub.get('runtime_info', {})
    if not all(isinstance(hub.get(key, {}), Mapping) for key in ('runtime_info', 'log_scalars', 'resumed_keys')):
        return False
    ids, outdated = info.get('keep_ckpt_ids', []), info.get('outdated_checkpoints', [])
    names = [name for key in ('last_ckpt', 'best_ckpt') if (name := info.get(key)) is not None]
    if not (isinstance(ids, list) and all(map(_is_count, ids)) and isinstance(outdated, list)):
        return False
    named = all(isinstance(name, str) and '\0' not in name for name in [*names, *outdated])
    return named and isinstance(info.get('best_score', 0.0), int | float | None)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _named(work_dir: Path) -> Path | None:
    """What ``last_checkpoint`` names; of a folder that was moved, the file of that name in it."""
    try:
        name = read_text(work_dir / LAST, _LONGEST_PATH).strip()
    except (OSError, UnicodeDecodeError):
        return None
    inside = work_dir / re.split(r'[/\\]', name)[-1]
    if not name or '\0' in name or '\n' in name or len(os.fsencode(inside.name)) > _LONGEST_NAME:
        return None
    return inside if os.path.exists(inside) or not os.path.isfile(name) else Path(name)


def _list(refused: dict[str, str]) -> str:
    return '; '.join(f'{name} {reason}' for name, reason in sorted(refused.items())[:3])
