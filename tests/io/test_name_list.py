from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.errors import FaceAlignError
from facealign.io import name_list
from facealign.io.box_table import BoxTable
from facealign.io.name_list import match_names, read_file_list, read_name_list, without_suffix

_name = st.lists(st.sampled_from(['a', 'b', 'B', 'c.jpg']), min_size=1, max_size=3).map('/'.join)


@given(st.lists(_name, max_size=6), st.lists(_name, max_size=6))
def test_a_match_is_an_end_of_the_path_and_never_shared(listed: list[str], files: list[str]) -> None:
    matched = match_names(listed, files)
    for file, entry in matched.items():
        a, b = file.lower().split('/'), entry.lower().split('/')
        shorter = min(len(a), len(b))
        assert a[-shorter:] == b[-shorter:]
        others = [other for other in matched if other.lower() != file.lower() and matched[other] == entry]
        assert not others
    # A name that stands in the list as it is, is found.
    assert all(file in matched for file in files if file in listed)


def test_an_ambiguous_name_is_not_guessed() -> None:
    assert match_names(['1.jpg'], ['a/1.jpg', 'b/1.jpg']) == {}
    assert match_names(['a/1.jpg', 'b/1.jpg'], ['1.jpg']) == {}
    assert match_names(['1.jpg'], ['a/1.jpg', 'a/11.jpg']) == {'a/1.jpg': '1.jpg'}


def test_reading_a_list(tmp_path: Path) -> None:
    path = tmp_path / 'test.txt'
    path.write_bytes('\ufeff# the test faces\r\n\r\n a/1.jpg \r\nb.c.png\r\n'.encode())
    assert read_name_list(path) == ['a/1.jpg', 'b.c.png']
    assert [without_suffix(name) for name in ('a/1.JPG', 'b.c.png', 'face.v2')] == ['a/1', 'b.c', 'face.v2']


@pytest.mark.parametrize(('content', 'message'), [(b'# nothing\n', 'names no image'), (b'\xff\xfe\x00', 'not a text')])
def test_a_useless_list_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / 'test.txt').write_bytes(content)
    with pytest.raises(FaceAlignError, match=message):
        read_name_list(tmp_path / 'test.txt')
    with pytest.raises(FaceAlignError, match='cannot be read'):
        read_name_list(tmp_path / 'absent.txt')


_FILES = ['a.jpg', 'sub dir/a,b;c.jpg', '#hash.jpg', 'photo 1 2.jpg', 'Größe.png', "it's.jpg", 'x;y.jpg', '"q".jpg']
_DRESS = {
    'plain': lambda name: name,
    'quoted': lambda name: f'"{name}"',
    'Windows': lambda name: name.replace('/', '\\'),
    'box': lambda name: f'{name} 83 83 170 170',
    'commas': lambda name: f'{name},83,83,170.5,170',
    'label': lambda name: f'{name}\t0',
    'dot': lambda name: f'./{name}',
    'blanks': lambda name: f'  {name}  ',
    'upper': lambda name: name.upper() if name.isascii() and name[0] != '#' else name,
}


@given(
    lines=st.lists(st.tuples(st.sampled_from(_FILES), st.sampled_from(sorted(_DRESS))), min_size=1, max_size=6),
    encoding=st.sampled_from(['utf-8', 'utf-8-sig', 'utf-16', 'cp1252']),
    line_end=st.sampled_from(['\n', '\r\n']),
)
def test_a_line_means_the_file_it_names_in_whatever_dress(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str]], encoding: str, line_end: str
) -> None:
    folder = tmp_path_factory.mktemp('list')
    for name in _FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    text = line_end.join(_DRESS[dress](name) for name, dress in lines) + line_end
    (folder / 'list.txt').write_bytes(('# a comment' + line_end + text).encode(encoding))
    wanted = [name for name, _ in lines]
    assert [(folder / file).resolve() for file in read_file_list(folder / 'list.txt')] == [
        (folder / name).resolve() for name in wanted
    ]
    matched = match_names(read_name_list(folder / 'list.txt', _FILES), _FILES)
    assert set(matched) == set(wanted)


def test_a_path_of_another_computer_is_not_guessed_where_two_have_its_end(tmp_path: Path) -> None:
    (tmp_path / '1.jpg').touch()
    (tmp_path / 'a.txt').write_text('C:\\x\\1.jpg\n')
    assert read_file_list(tmp_path / 'a.txt') == ['1.jpg']
    (tmp_path / 'b.txt').write_text('C:\\x\\1.jpg\nC:\\y\\1.jpg\n')
    assert read_file_list(tmp_path / 'b.txt') == ['C:\\x\\1.jpg', 'C:\\y\\1.jpg']


def test_upper_and_lower_case_are_two_files_where_there_are_two() -> None:
    assert match_names(['A/1.jpg', 'a/1.jpg'], ['a/1.jpg', 'A/1.jpg']) == {'a/1.jpg': 'a/1.jpg', 'A/1.jpg': 'A/1.jpg'}
    assert match_names(['A.JPG'], ['a.jpg']) == {'a.jpg': 'A.JPG'}


def test_a_long_line_takes_no_time(tmp_path: Path) -> None:
    (tmp_path / 'a.txt').write_text('a' + ' ' * 400_000 + '1\n' + '1 ' * 4000 + '\nb.jpg\n')
    assert read_file_list(tmp_path / 'a.txt')[-1] == 'b.jpg'


def test_a_path_of_another_computer_in_other_case(tmp_path: Path) -> None:
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b' / 'c d.jpg').touch()
    (tmp_path / 'list.txt').write_text('D:\\data\\B\\C D.JPG\n')
    assert read_file_list(tmp_path / 'list.txt') == ['b/c d.jpg']


@pytest.mark.parametrize('listed, there', [('NFC', 'NFD'), ('NFD', 'NFC')])
def test_composed_and_decomposed_letters_are_the_same(tmp_path: Path, listed: str, there: str) -> None:
    """Lists made on one system, files unpacked on another."""
    in_list, on_disk = (unicodedata.normalize(form, 'Zoë/Été.jpg') for form in (listed, there))
    (tmp_path / on_disk).parent.mkdir()
    (tmp_path / on_disk).touch()
    (tmp_path / 'list.txt').write_text(in_list, encoding='utf-8')
    assert read_file_list(tmp_path / 'list.txt') == [on_disk]
    assert match_names([in_list], [on_disk]) == {on_disk: in_list}
    (tmp_path / 'boxes.csv').write_text(f'image,x1,y1,x2,y2\n{in_list},1,2,3,4\n', encoding='utf-8')
    boxes = BoxTable(tmp_path / 'boxes.csv').of_file(tmp_path / on_disk)
    assert boxes is not None and boxes[0, :4].tolist() == [1, 2, 3, 4]


def test_a_folder_is_listed_once_however_many_lines_are_not_there(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / 'list.txt').write_text('\n'.join(f'{number}.JPG' for number in range(50)))
    (tmp_path / '7.jpg').touch()
    listed = []
    monkeypatch.setattr(name_list.os, 'listdir', lambda folder: listed.append(folder) or ['7.jpg', 'list.txt'])
    assert read_file_list(tmp_path / 'list.txt')[6:8] == ['6.JPG', '7.jpg']
    assert len(listed) == 1
