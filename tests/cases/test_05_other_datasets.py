from __future__ import annotations

from pathlib import Path

import pytest

from facealign.conversion.convert import Options, convert
from facealign.errors import FaceAlignError


@pytest.mark.parametrize(
    ('folder', 'named'),
    [
        ('WFLW', r"WFLW's lists of 98 points \(WFLW_annotations/.*list_98pt_rect_attr_train.txt\)"),
        ('celeba', r"CelebA's list of 5 points \(list_landmarks_celeba.txt\)"),
        ('coco300w', r"another tool's COCO keypoints of 68 points \(face_landmarks_300w_train.json\)"),
    ],
)
def test_the_message_says_what_is_there_and_what_is_missing(
    shared: Path, tmp_path: Path, folder: str, named: str
) -> None:
    with pytest.raises(FaceAlignError, match=named + '.*write the points of each NAME.jpg as NAME.pts') as caught:
        convert('pts', shared / 'cases/05-other-datasets' / folder, tmp_path / 'out', Options())
    assert '\n' not in str(caught.value) and not (tmp_path / 'out').exists()
