"""``facealign align`` on videos as phones make them: times and orientation in the results, a browser's player."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def test_times_and_orientation_reach_the_results(make_model, tmp_path: Path) -> None:
    blocks = np.random.default_rng(0).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    image = cv2.resize(blocks, (128, 96), interpolation=cv2.INTER_CUBIC)
    times = [0, 0.04, 0.5, 0.54, 2.0, 3.5]
    path = tmp_path / 'clip.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, 'yuv420p'
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for time in times:
            frame = av.VideoFrame.from_ndarray(image, format='bgr24')
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    one = 1 << 16
    struct.pack_into('>9i', data, data.index(b'tkhd') + 44, 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)  # a quarter turn
    path.write_bytes(data)
    out = tmp_path / 'out'
    words = [path, '--out', out, '--model', make_model('fixed'), '--detector', 'whole', '--save-video', '--smooth']
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tools' / 'demo.py'), *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT / 'projects'), 'OMP_NUM_THREADS': '1', 'FACEALIGN_YUNET': ''},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    frames = json.loads((out / 'landmarks.json').read_text())['images']
    assert [frame['time'] for frame in frames] == times
    x1, y1, x2, y2 = frames[0]['faces'][0]['box']
    assert (x2 - x1, y2 - y1) == (95, 127)  # upright
    with av.open(str(next((out / 'videos').glob('*.mp4')))) as written:
        codec = written.streams.video[0].codec_context
        assert (codec.name, codec.width, codec.height) == ('h264', 96, 128)
        assert [round(frame.time, 3) for frame in written.decode(video=0)] == times
