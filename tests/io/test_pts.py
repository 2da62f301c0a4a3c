from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facealign.errors import FaceAlignError
from facealign.io.pts import format_pts, parse_pts, read_pts, write_pts

finite = st.floats(-999_999, 999_999).filter(lambda value: value == 0 or abs(value) > 1e-40)


@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=finite))
def test_what_is_written_reads_back_to_the_last_bit(points: np.ndarray) -> None:
    points = points[~_written_as_absent(points)]
    assert np.array_equal(parse_pts(format_pts(points)), points)


def _written_as_absent(points: np.ndarray) -> np.ndarray:
    """[N] bool: 0-based points that lie at 0 0 or -1 -1, counted from 1."""
    return ((points == -1) | (points == -2)).all(axis=1) & (points[:, 0] == points[:, 1])


@given(st.lists(st.tuples(st.integers(-99999, 999999), st.integers(-99999, 999999)), min_size=1, max_size=9))
def test_digits_on_disk_survive_a_round_trip(thousandths: list[tuple[int, int]]) -> None:
    rows = '\n'.join(f'{x / 1000:.3f} {y / 1000:.3f}' for x, y in thousandths)
    again = format_pts(parse_pts(rows)).splitlines()[3:-1]
    expected = [
        (x / 1000, y / 1000) if (x, y) not in ((0, 0), (-1000, -1000)) else (np.nan, np.nan) for x, y in thousandths
    ]
    assert np.array_equal([[float(word) for word in row.split()] for row in again], expected, equal_nan=True)


def test_absent_points_are_told_from_points_at_the_corner() -> None:
    points = parse_pts('{\n0 0\n-1 -1\n0.0 -0\n1 1\n0 5\n-1 0\n-1.5 -1.5\n}')
    assert np.isnan(points).all(axis=1).tolist() == [True, True, True, False, False, False, False]
    assert points[3:].tolist() == [[0, 0], [-1, 4], [-2, -1], [-2.5, -2.5]]


def test_a_point_where_absent_ones_are_written_is_not_lost() -> None:
    points = np.array([[-1.0, -1.0], [-2.0, -2.0], [-1.0, -2.0]])
    again = parse_pts(format_pts(points))
    assert np.abs(again - points).max() < 1e-15 and np.array_equal(again[2], points[2])
    assert np.array_equal(points, [[-1, -1], [-2, -2], [-1, -2]])  # what was given is not changed


@pytest.mark.parametrize(
    'text',
    [
        '{\n1 2\n}\n{\n3 4\n}',
        '{1 2} {3 4}',
        'n_points: 1\n{\n1 2\n}\nn_points: 1\n{\n3 4',
        '{1 2}\n3,4',
        '{1 2} 3 -4.5e1',
    ],
)
def test_a_second_block_is_named_not_dropped(text: str) -> None:
    with pytest.raises(ValueError, match='begins a second block of points'):
        parse_pts(text)


@pytest.mark.parametrize(
    'text',
    [
        'version: 1\nn_points:  2\n{\n1 1\n100.866 50.5\n}\n',
        'version: 1.0\r\nn_points: 2\r\n{\r\n1 1\r\n100.866 50.5\r\n}\r\n',
        'version: 1\rn_points: 2\r{\r1 1\r100.866 50.5\r}',
        '1 1\n100.866 50.5',
        '  1.000000   1.000000 \n\n 100.866\t50.5\n\n',
        '// made by hand\nversion: 1\nn_points: 68 # wrong\n{ // points\n1 1 % first\n100.866 50.5\n}\nanything 1 2 3',
        '\ufeffversion = 1\nn_points = 2\n{\n1,1\n100.866;50.5\n}',
        'Version 1\nnpoints 2\n{1 1\n1.00866e2 5.05E+1}',
        'n_points: 2 {\n1 1\n100.866 50.5 }',
    ],
    ids=['usual', 'crlf', 'cr', 'headerless', 'blanks', 'comments', 'bom', 'exponents', 'braces'],
)
def test_spellings_of_the_same_points(text: str) -> None:
    # Expected by hand: 1-based on disk, 0-based inside, without binary noise.
    assert parse_pts(text).tolist() == [[0, 0], [99.866, 49.5]]


@pytest.mark.parametrize('count', [0, 1, 67, 999])
def test_a_wrong_n_points_is_not_believed(count: int) -> None:
    assert len(parse_pts(f'n_points: {count}\n{{\n1 2\n3 4\n}}')) == 2


@pytest.mark.parametrize('word', ['nan', 'NaN', '-nan', 'nan(ind)', '-1.#IND', '1.#QNAN', 'inf', '-Infinity'])
def test_a_point_that_is_no_number_is_missing_as_a_whole(word: str) -> None:
    points = parse_pts(f'1 2\n5 {word}\n3 4')
    assert np.isnan(points).tolist() == [[False, False], [True, True], [False, False]]
    assert np.array_equal(parse_pts(format_pts(points)), points, equal_nan=True)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('1 2\n3', 'line 2 has 1 values'),
        ('version: 1\n{\n1 2 3\n}', 'line 3 has 3 values'),
        ('1 2\n\n3 four', 'line 3: "four" is not a number'),
        ('1_0 2', 'line 1: "1_0" is not a number'),
        ('1 2\n1e1000000 2', 'line 2: "1e1000000" is farther away than any pixel'),
        ('1 -1000001', 'line 1: "-1000001" is farther away'),
        ('1' * 400 + ' 2', f'line 1: "{"1" * 20}" is not a number'),
        ('1e99999999999999999999 2', 'line 1: .* is not a number'),
        ('snan 2', 'line 1: "snan" is not a number'),
        ('nan123 2', 'line 1: "nan123" is not a number'),
        ('\x1b[31m 2', r'line 1: "\\x1b\[31m" is not a number'),
        ('1 2\n' * 10_001, 'line 10001 is point 10001'),
    ],
)
def test_a_line_that_is_no_point_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_pts(text)


@pytest.mark.parametrize('line', [' ' * 400_000, 'version' + ' ' * 400_000, '; ' * 200_000, 'n_points ' * 40_000])
def test_long_lines_take_no_longer_than_their_length(line: str) -> None:
    """A search that begins anew at every blank takes hours here, beyond the time limit of any test."""
    assert parse_pts(f'1 2\n{line}\n3 4').tolist() == [[0, 1], [2, 3]]


def test_numbers_next_to_nothing_are_written_short() -> None:
    tiny = np.array([[1e-300, -5e-324], [3, 1e-30]])
    assert np.abs(parse_pts(format_pts(tiny)) - tiny).max() < 1e-40
    assert len(format_pts(tiny)) < 250


@given(st.text(max_size=60))
def test_any_text_gives_points_or_a_message(text: str) -> None:
    try:
        points = parse_pts(text)
    except ValueError as error:
        assert 'line' in str(error)
    else:
        assert points.ndim == 2 and points.shape[1] == 2


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'holds no points'),
        (b'version: 1\nn_points: 68\n{\n}\n', 'holds no points'),
        (b'\x00\x01\x02', 'not a text file'),
        (b'1 2\nx y\n', 'line 2'),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / 'face.pts'
    path.write_bytes(content)
    with pytest.raises(FaceAlignError, match=message) as caught:
        read_pts(path)
    assert str(path) in str(caught.value) and '\n' not in str(caught.value)


def test_a_file_that_is_a_folder_or_absent_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / 'absent.pts'):
        with pytest.raises(FaceAlignError, match='cannot be read'):
            read_pts(path)


def test_writing_and_reading_a_file(tmp_path: Path) -> None:
    points = np.array([[0.1 + 0.2, -3.25], [np.nan, np.nan], [1e-9, 123456.789]])
    write_pts(tmp_path / 'new' / 'face.pts', points)
    assert np.array_equal(read_pts(tmp_path / 'new' / 'face.pts'), points, equal_nan=True)


def test_real_files(shared: Path) -> None:
    with_header = sorted((shared / 'data/300w/afw').glob('*.pts'))[::8]
    headerless = sorted((shared / 'data/photos').glob('*.pts'))
    assert with_header and headerless
    for path in [*with_header, *headerless]:
        text = path.read_text()
        assert ('n_points' in text) == (path in with_header)
        # NumPy's own reader, of the lines that are points.
        rows = [line for line in text.splitlines() if line[:1].isdigit() or line[:1] in '- ']
        points = read_pts(path)
        assert points.shape == (68, 2)
        assert np.abs(points - (np.loadtxt(rows) - 1)).max() < 1e-9
        assert np.array_equal(parse_pts(format_pts(points)), points)
