"""Videos in and out: orientation and time of each frame, damaged and hostile files, what browsers play."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from facealign.errors import FaceAlignError
from facealign.io.image import turned
from facealign.io.video import VideoReader, VideoWriter

WIDTH, HEIGHT = 96, 64
# a, b, c, d of the matrix in a file's track header that shows a picture as each EXIF orientation does.
MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}


def picture(seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    blocks = np.random.default_rng(seed).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    return cv2.resize(blocks, size, interpolation=cv2.INTER_CUBIC)


def write_clip(path: Path, times: list[float], codec: str = 'mpeg4', **options: str) -> None:
    """A clip whose frame i, shown from ``times[i]``, is ``picture(i)``; not by the code under test."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
        if codec == 'mpeg4':
            stream.bit_rate = 4_000_000
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(i), format='bgr24')
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def turn_header(path: Path, orientation: int) -> None:
    data = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in MATRICES[orientation])
    struct.pack_into('>9i', data, data.index(b'tkhd') + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_frames_are_turned_as_their_file_says(orientation, tmp_path) -> None:
    path = tmp_path / 'clip.mp4'
    write_clip(path, [0, 0.04, 0.08])
    turn_header(path, orientation)
    for number, _, image in VideoReader(path):
        expected = turned(picture(number), orientation)
        assert image.shape == expected.shape
        assert np.abs(image.astype(int) - expected).mean() < 6


@pytest.mark.parametrize(
    'name, codec, options', [('a.mp4', 'mpeg4', {}), ('a.mkv', 'libx264', {'bf': '3'}), ('a.mp4', 'libx264', {})]
)
def test_times_are_those_of_presentation(name, codec, options, tmp_path) -> None:
    times = [0, 0.04, 0.08, 0.5, 0.54, 2.0, 2.9, 3.0, 3.04, 7.5]
    write_clip(tmp_path / name, times, codec, **options)
    reader = VideoReader(tmp_path / name)
    frames = list(reader)
    assert [frame.time for frame in frames] == pytest.approx(times, abs=0.002)
    assert [frame.number for frame in frames] == list(range(10))
    for frame in frames:
        assert np.abs(frame.image.astype(int) - picture(frame.number)).mean() < 12
    reader.check_complete()


def test_colours_of_an_impossible_kind_are_taken_for_the_usual_ones(tmp_path) -> None:
    write_clip(tmp_path / 'a.mp4', [0, 0.04], 'libx264', **{'x264-params': 'colormatrix=GBR'})
    reader = VideoReader(tmp_path / 'a.mp4')
    for frame in reader:
        assert np.abs(frame.image.astype(int) - picture(frame.number)).mean() < 12
    reader.check_complete()
    assert reader.read == 2


def test_a_stream_s_arbitrary_beginning_is_not_a_time(tmp_path) -> None:
    with av.open(str(tmp_path / 'a.ts'), 'w', format='mpegts') as container:
        stream = container.add_stream('libx264', rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
        for i in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(i), format='bgr24')))
        container.mux(stream.encode(None))
    times = [frame.time for frame in VideoReader(tmp_path / 'a.ts')]
    assert times == pytest.approx([i / 25 for i in range(5)], abs=0.01)


@pytest.mark.parametrize('size', [(96, 64), (97, 63), (31, 30)])
def test_written_videos_play_in_browsers(size, tmp_path) -> None:
    times = [0, 0.1, 0.15, 1.0, 1.5]
    path = tmp_path / 'new' / 'out.mp4'
    with VideoWriter(path, 25) as writer:
        for i, time in enumerate(times):
            writer.write(picture(i, size), time)
    assert os.listdir(path.parent) == ['out.mp4']
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == 'h264' and stream.codec_context.pix_fmt == 'yuv420p'
        assert (stream.codec_context.width, stream.codec_context.height) == tuple(side + side % 2 for side in size)
    data = path.read_bytes()
    assert data.index(b'moov') < data.index(b'mdat')  # it plays before all of it is loaded
    frames = list(VideoReader(path))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=0.001)
    for i, frame in enumerate(frames):
        shown = frame.image[: size[1], : size[0]].astype(int)
        assert np.abs(shown - picture(i, size)).mean() < 12


def test_times_of_written_frames_may_be_left_out(tmp_path) -> None:
    with VideoWriter(tmp_path / 'a.mp4', 10) as writer:
        for i in range(4):
            writer.write(picture(i))
    assert [frame.time for frame in VideoReader(tmp_path / 'a.mp4')] == pytest.approx([0, 0.1, 0.2, 0.3], abs=0.001)


def test_nothing_is_left_of_a_video_that_was_not_finished(tmp_path) -> None:
    with pytest.raises(KeyError), VideoWriter(tmp_path / 'a.mp4', 25) as writer:
        writer.write(picture())
        raise KeyError
    assert os.listdir(tmp_path) == []
    (tmp_path / 'file').touch()
    with (
        pytest.raises(FaceAlignError, match='cannot be written'),
        VideoWriter(tmp_path / 'file' / 'a.mp4', 25) as writer,
    ):
        writer.write(picture())
    with VideoWriter(tmp_path / 'none.mp4', 25):
        pass
    assert os.listdir(tmp_path) == ['file']


@pytest.mark.parametrize('share', [0.0, 0.02, 0.3, 0.6])
@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv', 'a.avi'])
def test_cut_videos_are_one_error(name, share, tmp_path) -> None:
    write_clip(tmp_path / name, [i / 5 for i in range(30)])
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FaceAlignError) as caught:
        reader = VideoReader(tmp_path / name)
        frames = list(reader)
        assert len(frames) <= 30
        reader.check_complete()
    assert name in str(caught.value) and '\n' not in str(caught.value)


def test_random_damage_is_survived(tmp_path) -> None:
    write_clip(tmp_path / 'whole.mp4', [i / 25 for i in range(12)], 'libx264')
    whole = (tmp_path / 'whole.mp4').read_bytes()
    rng = np.random.default_rng(0)
    for i in range(60):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 8):
            data[at] = rng.integers(256)
        (tmp_path / f'{i}.mp4').write_bytes(data)
        try:
            reader = VideoReader(tmp_path / f'{i}.mp4')
            times = [frame.time for frame in reader]
            assert times == sorted(times)
            reader.check_complete()
        except FaceAlignError as error:
            assert '\n' not in str(error)


def test_what_is_no_video_is_named(tmp_path, monkeypatch) -> None:
    secret = tmp_path / 'secret.mp4'
    write_clip(secret, [0, 0.04])
    (tmp_path / 'text.mp4').write_text('no video')
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'playlist.mp4').write_text(f'#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n')
    (tmp_path / 'concat.mp4').write_text(f"ffconcat version 1.0\nfile '{secret}'\n")
    os.mkfifo(tmp_path / 'pipe.mp4')
    cv2.imwrite(str(tmp_path / 'photo.png'), picture())
    (tmp_path / 'photo.png').rename(tmp_path / 'photo.mp4')
    for name in ('text', 'empty', 'playlist', 'concat', 'pipe', 'photo', 'missing'):
        with pytest.raises(FaceAlignError, match=f'{name}.mp4: '):
            VideoReader(tmp_path / f'{name}.mp4')
    monkeypatch.setenv('FACEALIGN_MAX_PIXELS', '5000')
    with pytest.raises(FaceAlignError, match='secret.mp4: 96×64 is too large'):
        VideoReader(secret)
