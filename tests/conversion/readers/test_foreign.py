from __future__ import annotations

import json
from pathlib import Path

import pytest

from facealign.conversion.readers.foreign import describe_foreign


@pytest.mark.parametrize(
    ('name', 'content', 'expected'),
    [
        ('a/list_98pt_test.txt', '', "WFLW's lists of 98 points (a/list_98pt_test.txt)"),
        ('list_landmarks_align_celeba.txt', '', "CelebA's list of 5 points"),
        ('x.mat', '', 'MATLAB files (x.mat)'),
        (
            'c.json',
            json.dumps(dict(images=[], annotations=[dict(keypoints=[1.5, 2, 2] * 21)])),
            'COCO keypoints of 21 points',
        ),
        ('c.json', json.dumps(dict(annotations=[dict(num_keypoints=68)], images=[])), 'COCO keypoints of 68 points'),
        ('c.json', '{"annotations": 3}', ''),
        ('c.json', 'no JSON', ''),
        ('readme.txt', '', ''),
    ],
)
def test_what_is_known(tmp_path: Path, name: str, content: str, expected: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    said = describe_foreign(tmp_path, ['other.jpg', name])
    assert expected in said and bool(said) == bool(expected)


def test_a_file_that_is_gone_is_no_error(tmp_path: Path) -> None:
    assert describe_foreign(tmp_path, ['gone.json']) == ''
