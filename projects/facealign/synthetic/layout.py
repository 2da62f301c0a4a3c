"""How drawn faces are laid out on disk: 300W's folders and ``.pts``, Datatang's numbered JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from facealign.synthetic.render import DrawnFace

W300, DATATANG = '300w', 'datatang106'

# Every twelve faces: nine to train, two to the common test, one to the challenge.
_TURNS = (
    *('helen/trainset', 'lfpw/trainset', 'helen/trainset', 'lfpw/trainset', 'helen/testset', 'afw'),
    *('lfpw/trainset', 'helen/trainset', 'lfpw/testset', 'lfpw/trainset', 'helen/trainset', 'ibug'),
)
SMALLEST = len(_TURNS)  # the smallest number of faces that fills every folder

_TURNED = 8.0  # degrees of yaw from which Datatang would call a face turned
_OPEN_MOUTH = 0.05  # height of the opening over the mouth's width


def is_challenge(index: int) -> bool:
    """Whether face ``index`` goes to ``ibug``, whose faces are hard."""
    return _folder(index) == 'ibug'


def w300_name(index: int) -> str:
    """Path of face ``index`` below the 300W folder, without suffix; names are like the official ones.

    >>> w300_name(0), w300_name(5), w300_name(8)
    ('helen/trainset/2000000_1', 'afw/1000005_1', 'lfpw/testset/image_0001')
    """
    folder = _folder(index)
    if folder == 'afw':
        return f'{folder}/{1_000_000 + index}_1'
    if folder.startswith('helen'):
        return f'{folder}/{2_000_000 + index}_1'
    turn, place = divmod(index, SMALLEST)
    before = _TURNS[:place].count(folder)
    number = turn * _TURNS.count(folder) + before + 1  # LFPW's two folders both count from 1
    return f'{folder}/image_{number:04d}' if folder.startswith('lfpw') else f'{folder}/image_{number:03d}_1'


def _folder(index: int) -> str:
    return _TURNS[index % SMALLEST]


def datatang_name(index: int) -> str:
    """Name of face ``index`` in the Datatang folder, without suffix.

    >>> datatang_name(0)
    '000001'
    """
    return f'{index + 1:06d}'


def rounded(points: np.ndarray) -> np.ndarray:
    """Points as they are written: a thousandth of a pixel."""
    return np.round(points, 3)


def datatang_record(face: DrawnFace, name: str) -> dict[str, Any]:
    """The JSON of one face as Datatang publishes it: ids from 1, pixels 0-based.

    What cannot be said of a drawn person (race, gender, age) or place is 'drawn'.
    """
    points = rounded(face.points106).tolist()
    return dict(
        DataList=[
            dict(
                type='Point',
                id=i + 1,
                coordinates=xy,
                properties=dict(globaltype='visiblePoint' if seen else 'inVisiblePoint'),
            )
            for i, (xy, seen) in enumerate(zip(points, face.visible106))
        ],
        WorkLoad=_attributes(face),
        Filepath=f'session01\\{name}.jpg',
    )


def _attributes(face: DrawnFace) -> dict[str, str]:
    points, yaw = face.points106, face.pose.yaw
    opening = np.linalg.norm(points[99] - points[102]) / np.linalg.norm(points[86] - points[90])
    shut = max(face.expression.eye_open) < 0.2
    return dict(
        race='drawn',
        eye='close' if shut else 'open',
        orientation='forward' if abs(yaw) < _TURNED else 'rightward' if yaw > 0 else 'leftward',
        background='drawn',
        gender='drawn',
        mouth='open' if opening > _OPEN_MOUTH else 'close',
        occlusion='uncovered' if face.visible106.all() else 'covered',
        cap='yes' if face.look.hat == 'beanie' else 'no',
        age='drawn',
        glasses='no' if face.look.glasses == 'none' else 'yes',
    )
