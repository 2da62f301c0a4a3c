"""What a user can do wrong with each tool: one error line, status 2, and no file that is waited for."""

from __future__ import annotations

import errno
import os
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/integral/lite_128_quick.py'
WEIGHTS = ROOT / 'docs/results/weights/lite_128_drawn_fp16.pth'


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs a tool in this process; its error, once it is seen to be one line and status 2."""

    def run(tool: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
        assert end.value.code == 2
        error = capsys.readouterr().err
        assert 'Traceback' not in error and '\x1b' not in error
        [line] = [line for line in error.splitlines() if 'error: ' in line]
        return line

    return run


@pytest.fixture(params=['missing', 'folder', 'empty', 'text', 'bytes', 'pipe', 'endless'])
def wrong(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """No file of the kind that is asked for, under its name without an ending."""
    path = tmp_path / request.param
    if request.param == 'folder':
        path.mkdir()
    elif request.param == 'empty':
        path.write_bytes(b'')
    elif request.param == 'text':
        path.write_text('{"\x1b[31m": [,\n')
    elif request.param == 'bytes':
        path.write_bytes(bytes(range(256)) * 20)
    elif request.param == 'pipe':
        os.mkfifo(path)
    elif request.param == 'endless':
        path.symlink_to('/dev/zero')
    return path


def named(path: Path, ending: str) -> Path:
    if path.is_symlink() or path.exists():
        path = path.rename(path.with_suffix(ending))
    return path.with_suffix(ending)


@pytest.mark.timeout(100)
@pytest.mark.parametrize(
    ('tool', 'ending', 'arguments'),
    [
        ('worst_faces.py', '.json', ['WRONG', '--out', 'sheet.png']),
        ('compare_detectors.py', '.json', ['WRONG']),
        ('fit_box_rules.py', '.json', ['WRONG', '--detector', 'whole']),
        ('fit_dpg.py', '.json', ['WRONG']),
        ('compare.py', '', ['WRONG', '--out', 'OUT']),
        ('draw_dpg.py', '.json', ['OUT/x.png', '--data', 'WRONG']),
        ('complete_points.py', '.json', [CONFIG, WEIGHTS, 'WRONG']),
        ('convert_dataset.py', '.csv', ['pts', 'HERE', '--out', 'OUT', '--boxes', 'csv:WRONG']),
        ('convert_dataset.py', '.txt', ['pts', 'HERE', '--out', 'OUT', '--split', 'list:WRONG']),
        ('train.py', '.py', ['WRONG']),
        ('test.py', '.py', ['WRONG', WEIGHTS]),
        ('test.py', '.pth', [CONFIG, 'WRONG']),
        ('train_dlib.py', '.py', ['WRONG']),
        ('export_onnx.py', '.py', ['WRONG', WEIGHTS, 'OUT/x.onnx']),
        ('export_onnx.py', '.pth', [CONFIG, 'WRONG', 'OUT/x.onnx']),
        ('overfit_fastpose.py', '.py', ['--config', 'WRONG', '--steps', '1']),
        ('import_checkpoint.py', '.pth', ['visionlabs', 'WRONG']),
    ],
)
def test_a_file_that_is_none(
    refused, wrong: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str, ending: str, arguments: list
) -> None:
    monkeypatch.chdir(tmp_path)
    path = named(wrong, ending)
    there = {'WRONG': str(path), 'HERE': str(tmp_path), 'OUT': str(tmp_path / 'out')}
    words = [str(word) for word in arguments]
    for name, value in there.items():
        words = [word.replace(name, value) for word in words]
    line = refused(tool, *words)
    if 'HERE' not in arguments:
        assert path.name in line
    assert set(tmp_path.iterdir()) <= {path}, 'something was left'


NUMBERS = [
    ('worst_faces.py', '--num', '0'),
    ('worst_faces.py', '--columns', '-1'),
    ('compare_detectors.py', '--images', '-1'),
    ('fit_box_rules.py', '--images', '0'),
    ('draw_dpg.py', '--faces', '0'),
    ('draw_dpg.py', '--seed', '-1'),
    ('convert_dataset.py', '--crop-margin', 'nan'),
    ('convert_dataset.py', '--crop-face', '0'),
    ('convert_dataset.py', '--workers', '-1'),
    ('detect_faces.py', '--workers', '1e9'),
    ('overfit_fastpose.py', '--size', '1'),
    ('export_onnx.py', '--faces', '9' * 5000),
    ('train_dlib.py', '--trees', '0'),
    ('test.py', '--interval', '0'),
    ('demo.py', '--min-score', 'nan'),
]


@pytest.mark.parametrize(('tool', 'option', 'value'), NUMBERS)
def test_a_number_that_makes_no_sense(refused, tool: str, option: str, value: str) -> None:
    assert f'argument {option}: ' in refused(tool, option, value)


@pytest.mark.parametrize('tool', ['worst_faces.py', 'draw_dpg.py'])
def test_a_picture_of_no_kind(refused, tool: str) -> None:
    arguments = ['data.json', '--out', 'picture.txt'] if tool == 'worst_faces.py' else ['picture.txt']
    assert 'must end in .png' in refused(tool, *arguments)


FOLDERS = [
    ('train.py', [CONFIG], '--work-dir'),
    ('train.py', [CONFIG, '--work-dir', 'HERE/work'], '--show-dir'),
    ('test.py', [CONFIG, WEIGHTS], '--work-dir'),
    ('test.py', [CONFIG, WEIGHTS, '--work-dir', 'HERE/work'], '--show-dir'),
    ('test.py', [CONFIG, WEIGHTS, '--work-dir', 'HERE/work'], '--dump'),
]


@pytest.mark.parametrize('kind', ['a file', 'in a file', 'read-only', 'full'])
@pytest.mark.parametrize(('tool', 'arguments', 'option'), FOLDERS)
def test_a_folder_that_cannot_be_written(
    refused,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tool: str,
    arguments: list,
    option: str,
    kind: str,
) -> None:
    """It is said before any work is done."""
    folder = tmp_path / 'folder'
    if kind in ('a file', 'in a file'):
        folder.write_text('mine')
        folder = folder / 'below' if kind == 'in a file' else folder
    else:
        folder.mkdir()
        write = Path.write_bytes
        number = errno.EROFS if kind == 'read-only' else errno.ENOSPC

        def refuse(path: Path, data: bytes) -> int:
            if path.parent == folder:
                raise OSError(number, os.strerror(number))
            return write(path, data)

        monkeypatch.setattr(Path, 'write_bytes', refuse)
    value = folder / 'predictions.pkl' if option == '--dump' else folder
    words = [str(word).replace('HERE', str(tmp_path)) for word in arguments]
    line = refused(tool, *words, option, value)
    assert f'{folder}: cannot be written (' in line and line.endswith(f'choose another {option}')
    work = tmp_path / 'work'
    assert set(tmp_path.iterdir()) <= {tmp_path / 'folder', work} and not (work.is_dir() and list(work.iterdir()))
    assert (tmp_path / 'folder').is_dir() or (tmp_path / 'folder').read_text() == 'mine'
