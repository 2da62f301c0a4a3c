"""Tables of boxes as editors, spreadsheets and other programs write them: one content, many forms."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.errors import FaceAlignError
from facealign.inference.writers import csv_header
from facealign.io.box_table import BoxTable, has_boxes, read_box_csv
from facealign.markup import IBUG68

_NAME = st.sampled_from(['a.jpg', 'Größe/b.jpg', 'sub dir/a,b;c.jpg', '#d.jpg', '=e.png', "o'f.jpg"])
_SIDE = st.integers(-50, 4000)
_BOX = st.tuples(_SIDE, _SIDE, st.integers(1, 999), st.integers(1, 999))
_SETS = {
    'corners': ('x1', 'y1', 'x2', 'y2'),
    'VisionLabs': ('face_rect_x1', 'face_rect_y1', 'face_rect_x2', 'face_rect_y2'),
    'landmarks.csv': ('Box_X1', 'box_y1', 'box_x2', 'box_y2'),
    'VOC': ('xmin', 'ymin', 'xmax', 'ymax'),
    'sides': ('left', 'top', 'right', 'bottom'),
    'sizes': ('x', 'y', 'w', 'h'),
}


@given(
    boxes=st.dictionaries(_NAME, st.lists(_BOX, min_size=1, max_size=2), min_size=1),
    columns=st.sampled_from(sorted(_SETS)),
    separator=st.sampled_from(',;\t'),
    encoding=st.sampled_from(['utf-8', 'utf-8-sig', 'utf-16', 'cp1252']),
    line_end=st.sampled_from(['\n', '\r\n']),
    windows=st.booleans(),
)
def test_every_form_says_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    boxes: dict[str, list[tuple[int, int, int, int]]],
    columns: str,
    separator: str,
    encoding: str,
    line_end: str,
    windows: bool,
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end)
    writer.writerow(['Image ', *_SETS[columns], 'score'])
    for name, rows in boxes.items():
        for x, y, w, h in rows:
            far = (w, h) if columns == 'sizes' else (x + w, y + h)
            writer.writerow([name.replace('/', '\\') if windows else name, x, y, *far, 0.5])
    path = tmp_path_factory.mktemp('t') / 'boxes.csv'
    path.write_bytes(text.getvalue().encode(encoding))
    table = BoxTable(path)
    expected = {name: [[x, y, x + w, y + h, 0.5] for x, y, w, h in rows] for name, rows in boxes.items()}
    assert {name: found.tolist() for name, found in table.of_names(boxes).items()} == expected
    for name in boxes:
        found = table.of_file(f'/some/where/{name}')
        assert found is not None and found.tolist() == expected[name]
    assert has_boxes(path)


def test_json_says_the_same_and_one_wrong_image_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / 'boxes.csv'  # whatever it is called
    rows = {'a.jpg': [[1, 2, 3, 4]], 'b.jpg': [1, 2, 3, 4, 0.5], 'c.jpg': [], 'd.jpg': None, 'e.jpg': [[1]]}
    path.write_text(json.dumps(rows | {'f.jpg': [[1, 2, 10**400, 4]], 'g.jpg': [[1, 2, [3], 4]], 'h.jpg': 'x'}))
    table = BoxTable(path)
    assert [len(table.of_file(f'/x/{name}.jpg')) for name in 'abcdf'] == [1, 1, 0, 0, 1]
    assert np.isinf(table.of_file('f.jpg')).any()
    for name in 'egh':
        with pytest.raises(FaceAlignError, match=f'boxes.csv: {name}.jpg: '):
            table.of_file(f'{name}.jpg')
    assert table.of_file('i.jpg') is None


@pytest.mark.parametrize(
    'text',
    [
        '[' * 100_000,
        '{"a": ' * 100_000,
        '{"a.jpg": [[1, 2, 3, 4]], "a.jpg": [[5, 6, 7, 8]]}',
        '{"a.jpg": [[1, 2]]}',
        '{"a.jpg": ' + '9' * 5000 + '}',
        'image,x1,y1,x2,y2\n' + '"' * 200_001,
        'image,x1,x1,x2,y2\na.jpg,1,2,3,4\n',
        'image,x1,y1,x2,y2\n\0\n',
    ],
)
def test_what_is_no_table_is_one_short_line(tmp_path: Path, text: str) -> None:
    (tmp_path / 'boxes.csv').write_text(text)
    with pytest.raises(FaceAlignError) as caught:
        BoxTable(tmp_path / 'boxes.csv')
    assert '\n' not in str(caught.value) and len(str(caught.value)) < 400


def test_our_own_table_of_landmarks_gives_its_boxes_not_its_points(tmp_path: Path) -> None:
    header = csv_header(IBUG68)
    assert len(set(header)) == len(header)
    box = dict(image='a.jpg', face=0, box_x1=10, box_y1=20, box_x2=30, box_y2=40, box_score=0.75)
    with open(tmp_path / 'landmarks.csv', 'w', newline='') as file:
        writer = csv.DictWriter(file, header, restval='')
        writer.writeheader()
        writer.writerows([{f'{axis}{i}': i for axis in 'xy' for i in range(68)} | box, dict(image='b.jpg')])
    found = read_box_csv(tmp_path / 'landmarks.csv', ['a.jpg', 'b.jpg'])
    assert found['a.jpg'].tolist() == [[10, 20, 30, 40, 0.75]] and found['b.jpg'].shape == (0, 5)


def test_upper_and_lower_case_are_two_images_where_the_table_has_both(tmp_path: Path) -> None:
    (tmp_path / 'b.csv').write_text('image,x1,y1,x2,y2\nA.jpg,1,1,2,2\na.jpg,3,3,4,4\nB.JPG,5,5,6,6\n')
    table = BoxTable(tmp_path / 'b.csv')
    assert [table.of_file(f'x/{name}')[0, 0] for name in ('A.jpg', 'a.jpg', 'b.jpg')] == [1, 3, 5]
    assert {name: box[0, 0] for name, box in table.of_names(['a.jpg', 'A.jpg', 'b.jpg']).items()} == {
        'a.jpg': 3,
        'A.jpg': 1,
        'b.jpg': 5,
    }


def test_a_decimal_comma_a_line_of_excel_s_and_lines_without_a_head(tmp_path: Path) -> None:
    (tmp_path / 'a.csv').write_text('sep=;\nimage;x1;y1;x2;y2;\na,1.jpg;1,5;2;3,25;4;\n')
    assert read_box_csv(tmp_path / 'a.csv', ['a,1.jpg'])['a,1.jpg'][0, :4].tolist() == [1.5, 2, 3.25, 4]
    (tmp_path / 'b.txt').write_text('sub dir/a.jpg 1 2 30 40\nb.jpg\t5 6 70 80\n')
    found = read_box_csv(tmp_path / 'b.txt', ['sub dir/a.jpg', 'b.jpg'])
    assert [box[0, :4].tolist() for box in found.values()] == [[1, 2, 31, 42], [5, 6, 75, 86]]
