"""``facealign align`` (= tools/demo.py) as a user runs it: good input, bad input, interruptions, video."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(0)


def command(*words: object) -> list[str]:
    return [sys.executable, str(ROOT / 'tools' / 'demo.py'), *map(str, words)]


def environment() -> dict[str, str]:
    return {**os.environ, 'PYTHONPATH': str(ROOT / 'projects'), 'OMP_NUM_THREADS': '1', 'FACEALIGN_YUNET': ''}


def align(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(*words), capture_output=True, text=True, env=environment(), timeout=120)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert 'Traceback' not in done.stderr
    return done


def picture(seed: int = 0, size: tuple[int, int] = (120, 90)) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope='module')
def model(make_model) -> Path:
    return make_model('fixed')


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / 'photos'
    (folder / 'more').mkdir(parents=True)
    for i in range(3):
        cv2.imwrite(str(folder / f'{i}.jpg'), picture(i))
    cv2.imwrite(str(folder / 'more' / '3.png'), picture(3))
    return folder


def test_every_format_and_drawn_images(photos, model, tmp_path) -> None:
    out = tmp_path / 'out'
    formats = [word for kind in ('json', 'csv', 'pts', 'npy', 'alphapose') for word in ('--format', kind)]
    options = ['--model', model, '--detector', 'whole', '--save-images', '--draw', 'numbers,box,scores']
    done = align(photos, '--out', out, *formats, *options)
    assert '4 done, 4 faces' in done.stderr and done.stdout == ''
    expected = [
        'alphapose-results.json',
        'landmarks.csv',
        'landmarks.json',
        'more/3.npy',
        'more/3.pts',
        'images/more/3.jpg',
    ]
    expected += [f'{i}.{kind}' for i in range(3) for kind in ('npy', 'pts')] + [f'images/{i}.jpg' for i in range(3)]
    found = {file.relative_to(out).as_posix() for file in out.rglob('*') if file.is_file() and file.name[0] != '.'}
    assert found == set(expected)
    images = json.loads((out / 'landmarks.json').read_text())['images']
    assert [image['file'] for image in images] == ['0.jpg', '1.jpg', '2.jpg', 'more/3.png']
    assert len(images[0]['faces'][0]['points']) == 68
    drawn, plain = cv2.imread(str(out / 'images' / '0.jpg')), cv2.imread(str(photos / '0.jpg'))
    assert drawn.shape[0] >= plain.shape[0]  # enlarged where the numbers need room


def test_without_out_results_go_to_stdout(photos, model) -> None:
    done = align(photos / '0.jpg', photos / '1.jpg', '--model', model, '--detector', 'whole')
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line['file'] for line in lines] == ['0.jpg', '1.jpg']
    assert len(lines[0]['faces'][0]['scores']) == 68


def broken_files(folder: Path) -> dict[str, str]:
    """Makes malformed inputs; name → what the one line about each must say."""
    whole = (folder / '0.jpg').read_bytes()
    (folder / 'truncated.jpg').write_bytes(whole[: len(whole) // 2])
    (folder / 'empty.jpg').write_bytes(b'')
    cv2.imwrite(str(folder / 'dot.png'), np.zeros((1, 1, 3), np.uint8))
    (folder / 'text.png').write_text('this is text')
    (folder / 'no.mp4').write_text('this is text')
    (folder / 'nothing.mp4').write_bytes(b'')
    return {
        'truncated.jpg': 'truncated image',
        'empty.jpg': 'empty file',
        'dot.png': 'only 1×1 pixels',
        'text.png': 'not an image',
        'no.mp4': 'not a video',
        'nothing.mp4': 'empty file',
        'gone.jpg': 'cannot be read',
        'outside.jpg': 'outside the image',
        'nan.jpg': 'not all numbers',
        'unlisted.jpg': 'lists no boxes',
    }


def test_malformed_inputs_give_a_line_each_and_the_run_goes_on(photos, model, tmp_path) -> None:
    expected = broken_files(photos)
    (photos / 'folder.jpg').mkdir()
    cv2.imwrite(str(photos / 'wide.png'), np.zeros((20, 20000, 3), np.uint8))
    for name in ('outside.jpg', 'nan.jpg', 'unlisted.jpg'):
        cv2.imwrite(str(photos / name), picture(9))
    rows = [f'{i}.jpg,10,10,80,80' for i in range(3)] + ['more/3.png,10,10,80,80', 'wide.png,,,,']
    rows += [f'{name},0,0,80,80' for name in ('truncated.jpg', 'empty.jpg', 'dot.png', 'text.png')]
    rows += ['outside.jpg,500,500,600,600', 'nan.jpg,nan,0,50,50']
    (tmp_path / 'boxes.csv').write_text('\n'.join(['image,x1,y1,x2,y2', *rows, '']))
    (tmp_path / 'list.txt').write_text('photos/gone.jpg\n')
    out = tmp_path / 'out'
    options = ['--model', model, '--detector', f'boxes:{tmp_path / "boxes.csv"}']
    done = align(photos, tmp_path / 'list.txt', '--out', out, *options, status=1)
    failed = [line for line in done.stderr.splitlines() if line.startswith('failed: ')]
    with open(out / 'failures.csv', newline='') as file:
        table = {row['file'].rpartition('/')[2]: row['reason'] for row in csv.DictReader(file)}
    for name, message in expected.items():
        assert [line for line in failed if name in line and message in line], (name, done.stderr)
        assert message in table[name]
    assert len(failed) == len(table) == len(expected)
    # Besides these lines: a note on the image without a face, and the sum.
    others = [line for line in done.stderr.splitlines() if line not in failed]
    assert len(others) == 2 and 'wide.png: no face found' in others[0] and '10 failed' in others[1], others
    assert len(json.loads((out / 'landmarks.json').read_text())['images']) == 5


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['{dir}/folder.jpg'], 'a folder without images'),
        (['{dir}/none*.png'], 'no such file'),
        (['{photo}', '--model', '{dir}/none.onnx'], 'no such model file'),
        (['{photo}', '--model', '{plain}'], 'carries no facealign metadata'),
        (['{photo}', '--model', '{other}'], 'gives 68 points, but its markup datatang106 has 106'),
        (['{photo}', '--model', '{photo}'], 'not an ONNX model'),
        (['{photo}', '--model', '{model}', '--detector', 'haar'], 'no such face detector'),
        (['{photo}', '--model', '{model}', '--box-rule', 'haar'], 'there is none'),
        (['{photo}', '--model', '{model}', '--save-images'], 'add --out DIR'),
        (['{photo}', '--model', '{model}', '--draw', 'eyes'], 'eyes is not one of'),
        (['{photo}', '--model', '{model}', '--out', '{photo}'], 'cannot be written'),
        (['{photo}', '--model', '{model}', '--batch', '0'], 'at least 1'),
    ],
)
def test_what_cannot_begin_is_one_line_and_status_2(photos, model, make_model, tmp_path, words, message) -> None:
    (tmp_path / 'folder.jpg').mkdir()
    names = dict(dir=tmp_path, photo=photos / '0.jpg', model=model)
    names['plain'] = make_model(drop=('version', 'markup', 'input_size', 'mean', 'std', 'color', 'crop'))
    names['other'] = make_model(markup='datatang106')
    done = align(*(word.format(**names) for word in words), status=2)
    assert done.stderr.startswith('error: ') and message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_interrupted_and_started_again_it_goes_on(model, tmp_path) -> None:
    folder, out = tmp_path / 'photos', tmp_path / 'out'
    folder.mkdir()
    for i in range(400):
        cv2.imwrite(str(folder / f'{i:03d}.jpg'), picture(i % 20, (640, 480)))
    words = [folder, '--out', out, '--model', model, '--detector', 'whole', '--save-images', '--batch', '1']
    process = subprocess.Popen(command(*words), env=environment(), stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while len(list((out / 'images').glob('[0-9]*.jpg'))) < 20 and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    images = {file: file.stat().st_mtime_ns for file in (out / 'images').glob('[0-9]*.jpg')}
    assert 20 <= len(images) < 400
    assert all(cv2.imread(str(file)) is not None for file in images)  # none is half-written
    done = align(*words)
    before = int(done.stderr.split(' done before')[0].rpartition(' ')[2])
    assert len(images) - 1 <= before <= len(images)
    assert len(json.loads((out / 'landmarks.json').read_text())['images']) == 400
    redone = [file for file, changed in images.items() if file.stat().st_mtime_ns != changed]
    assert len(redone) == len(images) - before
    assert '400 done before' in align(*words, '--format', 'pts').stderr
    assert len(list(out.glob('*.pts'))) == 400  # another format needs no second run
    assert 'other settings (min_score)' in align(*words, '--min-score', 1, status=2).stderr


@pytest.mark.skipif(os.name == 'nt', reason='such names and files cannot be there')
def test_odd_names_and_files_are_named_in_one_safe_line_each(model, tmp_path) -> None:
    folder, out = tmp_path / 'photos', tmp_path / 'out'
    folder.mkdir()
    cv2.imwrite(str(tmp_path / 'photo.png'), picture())
    data = (tmp_path / 'photo.png').read_bytes()
    names = [b'caf\xe9.png', b'=1+1.png', b'-a.png', b'x' * 246 + b'.png', b'\x1b[31mred.png', b'two\nlines.png']
    try:
        for name in names:
            (folder / os.fsdecode(name)).write_bytes(data)
    except OSError:
        pytest.skip('this file system takes no such names')
    os.mkfifo(folder / 'pipe.png')
    (folder / 'endless.png').symlink_to('/dev/zero')
    (folder / 'nowhere.png').symlink_to('nothing')
    (folder / '\x1b]0;title\x07.png').write_text('no picture')
    (folder / 'loop').symlink_to('.')
    formats = [word for kind in ('json', 'csv', 'pts', 'npy', 'alphapose') for word in ('--format', kind)]
    done = align(folder, '--out', out, *formats, '--model', model, '--detector', 'whole', '--save-images', status=1)
    assert done.stderr.count('failed: ') == 4 and len(done.stderr.splitlines()) == 5, done.stderr
    texts = [done.stderr, *(file.read_text('utf-8') for file in out.glob('*.*') if file.suffix in ('.csv', '.json'))]
    assert all(text.replace('\n', '').isprintable() for text in texts)
    with open(out / 'landmarks.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10 and not [row for row in rows if row['image'][0] in '=+-@']
    assert len([row for row in rows if row['error']]) == 4
    assert len(list(out.glob('*.pts'))) == len(list(out.glob('*.npy'))) == len(names)
    assert len(list((out / 'images').iterdir())) == len(names)
    assert '6 done before' in align(folder, '--out', out, '--model', model, '--detector', 'whole', status=1).stderr


def write_clip(path: Path, frames: int = 24) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 24, (128, 96))
    if not writer.isOpened():
        pytest.skip('this OpenCV cannot write video')
    for i in range(frames):
        writer.write(np.roll(picture(1, (128, 96)), i, axis=1))
    writer.release()


def test_video(model, tmp_path) -> None:
    write_clip(tmp_path / 'clip.mp4')
    out = tmp_path / 'out'
    words = [tmp_path / 'clip.mp4', '--out', out, '--model', model, '--detector', 'whole', '--save-video', '--smooth']
    done = align(*words, '--format', 'json', '--format', 'alphapose')
    assert '24 frames' in done.stderr
    frames = json.loads((out / 'landmarks.json').read_text())['images']
    assert [frame['frame'] for frame in frames] == list(range(24))
    assert {frame['faces'][0]['track'] for frame in frames} == {1}
    assert frames[12]['time'] == 0.5
    capture = cv2.VideoCapture(str(out / 'videos' / 'clip.mp4'))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == 24
    assert [file.name for file in (out / 'videos').iterdir()] == ['clip.mp4']
    assert '1 done before' in align(*words).stderr


def test_a_video_with_broken_frames_keeps_the_good_ones(model, tmp_path) -> None:
    write_clip(tmp_path / 'clip.mp4', 60)
    data = bytearray((tmp_path / 'clip.mp4').read_bytes())
    start = data.find(b'mdat') + 4
    length = data.find(b'moov') - start
    assert length > 0
    data[start + length // 2 : start + length * 9 // 10] = bytes(length * 9 // 10 - length // 2)
    (tmp_path / 'clip.mp4').write_bytes(data)
    out = tmp_path / 'out'
    words = [tmp_path / 'clip.mp4', '--out', out, '--model', model, '--detector', 'whole']
    done = align(*words, status=1)
    assert len(done.stderr.splitlines()) == 2, done.stderr
    assert 'of 60 frames can be decoded' in done.stderr
    assert 10 < len(json.loads((out / 'landmarks.json').read_text())['images']) < 60
    align(*words, status=1)  # it is not taken to be done
