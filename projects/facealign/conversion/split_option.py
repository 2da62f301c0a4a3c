"""What ``--split`` and ``--val`` mean: names of ways to split, and who carries them out."""

from __future__ import annotations

from pathlib import Path

from facealign.conversion import splits as splitting
from facealign.errors import FaceAlignError
from facealign.structures.records import FaceRecord, Gathered

WAYS = 'official, train, test, csv:FILE, list:FILE[,FILE...], random:SHARE, ratio:TRAIN,VAL,TEST or modulo'


def apply_split(gathered: Gathered, way: str, seed: int, source: Path) -> None:
    """Set the split of every face; a face without one is left out.

    Args:
        gathered: the faces, split as their folders say, and with their photos.
        way: one of ``WAYS``.
        seed: of the draws.
        source: where a list's file is looked for if it is not in the working folder.

    Raises:
        FaceAlignError: no such way, or it does not fit the data.
    """
    kind, _, value = way.partition(':')
    if way == 'official':
        return
    if way in ('train', 'test'):
        for face in gathered.faces:
            face.split = way
    elif way == 'modulo':
        splitting.split_by_number(gathered.faces)
    elif kind in ('random', 'ratio'):
        try:
            splitting.split_by_ratio(gathered.faces, _shares(kind, value), seed)
        except ValueError as error:
            raise FaceAlignError(f'--split {way}: {error}') from error
    elif kind == 'csv':
        _leave_out(gathered, *splitting.split_by_csv(gathered.faces, find_list(value, source)))
    elif kind == 'list':
        files = [find_list(name, source) for name in value.split(',')]
        _leave_out(gathered, *splitting.split_by_lists(gathered.faces, files))
    else:
        raise FaceAlignError(f'--split {way}: not {WAYS}')


def hold_out_val(splits: dict[str, list[FaceRecord]], way: str | None, seed: int, required: bool) -> None:
    """Cut ``train`` into ``fit`` and ``val``; both are views, ``train`` keeps all.

    Args:
        splits: the faces by split; where there is a ``fit`` or ``val`` already, all stay as they are.
        way: ``random:SHARE``, or None for no cut.
        seed: of the draw.
        required: whether it is an error that the faces are too few.
    """
    if way is None:
        return
    kind, _, value = way.partition(':')
    if kind != 'random':
        raise FaceAlignError(f'--val {way}: not random:SHARE or none')
    if 'train' not in splits or 'fit' in splits or 'val' in splits:
        return
    try:
        chosen = splitting.draw_photos(splits['train'], _share(value), seed)
    except ValueError as error:
        if not required:
            return
        raise FaceAlignError(f'--val {way}: {error}') from error
    splits['fit'] = [face for face in splits['train'] if face.photo not in chosen]
    splits['val'] = [face for face in splits['train'] if face.photo in chosen]


def find_list(name: str, source: Path) -> Path:
    """The file ``name``, in the working folder or, if it is not there, in the data's own."""
    path = Path(name)
    return source / name if not path.exists() and (source / name).is_file() else path


def _leave_out(gathered: Gathered, unlisted: list[FaceRecord], absent: list[str]) -> None:
    out = {id(face) for face in unlisted}
    for face in unlisted:
        gathered.leave_out(face.file_name, 'not in the split list')
    for file_name in absent:
        gathered.leave_out(file_name, 'in the split list, but not found')
    gathered.faces = [face for face in gathered.faces if id(face) not in out]


def _shares(kind: str, value: str) -> dict[str, float]:
    if kind == 'random':
        share = _share(value)
        return {'train': 1 - share, 'test': share}
    shares = [_share(text) for text in value.split(',')]
    if len(shares) != 3:
        raise ValueError('not three shares such as 0.8,0.1,0.1')
    return dict(zip(('train', 'val', 'test'), shares))


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'"{text}" is no share such as 0.15') from None
