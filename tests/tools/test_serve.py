"""The page of ``facealign serve``: its limits, and itself in headless Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from headless import Chromium, find_chromium

from facealign.errors import FaceAlignError
from facealign.inference.serve import page as serve

ROOT = Path(__file__).resolve().parents[2]


def bomb(path: Path, side: int = 60_000) -> Path:
    """A PNG of a kilobyte whose header says that it is ``side`` pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    body = chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(bytes(1000))) + chunk(b'IEND', b'')
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + body)
    return path


def photo(path: Path) -> Path:
    cv2.imwrite(
        str(path), cv2.resize(np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8), (200, 150))
    )
    return path


def test_uploads_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('PIL', reason='needs Pillow, which Gradio brings')
    serve.check_upload(photo(tmp_path / 'good.png'))
    with pytest.raises(FaceAlignError, match='too many pixels'):
        serve.check_upload(bomb(tmp_path / 'bomb.png'))
    with pytest.raises(FaceAlignError, match='million pixels'):
        serve.check_upload(bomb(tmp_path / 'large.png', 8000))
    (tmp_path / 'text.png').write_text('text')
    with pytest.raises(FaceAlignError, match='not an image'):
        serve.check_upload(tmp_path / 'text.png')
    monkeypatch.setattr(serve, 'MAX_BYTES', 100)
    with pytest.raises(FaceAlignError, match='larger than'):
        serve.check_upload(tmp_path / 'good.png')


def test_models_to_choose_from(make_model, tmp_path: Path) -> None:
    with pytest.raises(FaceAlignError, match='holds no model'):
        serve.find_models(tmp_path)
    shutil.copy(make_model(), tmp_path / 'a.onnx')
    shutil.copy(make_model(count=106, markup='datatang106'), tmp_path / 'b.onnx')
    assert {name: markup for name, (_, markup) in serve.find_models(tmp_path).items()} == {
        'a': 'ibug68',
        'b': 'datatang106',
    }


@pytest.fixture
def chromium() -> str:
    """Asked for before ``page``: no server is started, only to be stopped while it starts."""
    program = find_chromium()
    if program is None:
        pytest.skip('needs Chromium: apt-get install chromium')
    return program


@pytest.fixture
def page(make_model, tmp_path: Path):
    """The page on a free port, and the folder of its temporary files."""
    pytest.importorskip('gradio', reason='needs Gradio: pip install "facealign[serve]"')
    (tmp_path / 'models').mkdir()
    (tmp_path / 'temporary').mkdir()
    shutil.copy(make_model(), tmp_path / 'models' / 'tiny.onnx')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    code = (
        'from pathlib import Path; from facealign.inference.serve import launch; '
        f'launch({port}, open_browser=False, models=Path({str(tmp_path / "models")!r}))'
    )
    environment = {**os.environ, 'PYTHONPATH': str(ROOT / 'projects'), 'TMPDIR': str(tmp_path / 'temporary')}
    with open(tmp_path / 'log', 'w') as log:
        # A shell's background jobs ignore SIGINT, and so would the server that a test run among them starts.
        process = subprocess.Popen(
            [sys.executable, '-c', code],
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            yield wait_for(f'http://127.0.0.1:{port}/', process, tmp_path / 'log'), tmp_path / 'temporary', port
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    assert not list((tmp_path / 'temporary').glob('facealign-serve-*')), 'something was kept'
    assert 'Traceback' not in (tmp_path / 'log').read_text()


def wait_for(url: str, process: subprocess.Popen, log: Path) -> str:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=10).close()
            return url
        except OSError:
            time.sleep(0.3)
    raise AssertionError(log.read_text())


def test_the_page_in_chromium(chromium: str, page, tmp_path: Path) -> None:
    url, temporary, port = page
    with socket.socket() as outside:  # bound to this machine only
        outside.settimeout(2)
        address = socket.gethostbyname(socket.gethostname())
        if not address.startswith('127.'):
            assert outside.connect_ex((address, port)) != 0
    browser = Chromium(chromium, tmp_path / 'profile')
    try:
        browser.call('Page.enable')
        browser.call('Page.navigate', url=url)
        upload = '#upload input[type=file]'
        browser.wait(f'document.querySelector("{upload}") !== null')
        choose_detector(browser, 'whole')
        browser.choose_file(upload, photo(tmp_path / 'photo.png'))
        browser.wait('document.querySelector("#found")?.innerText.includes("1 face found")')
        assert browser.wait('document.querySelector("#drawn img")?.naturalWidth') == 200
        assert 'contour' in browser.evaluate('document.body.innerText')
        record = json.loads(browser.evaluate('document.querySelector("#record textarea").value'))
        assert (record['model'], record['markup'], len(record['faces'][0]['points'])) == ('tiny', 'ibug68', 68)
        for file, message in ((bomb(tmp_path / 'bomb.png'), 'too many pixels'), (ROOT / 'setup.py', 'not an image')):
            browser.evaluate('document.querySelector("#upload button[aria-label]")?.click()')
            browser.wait(f'document.querySelector("{upload}") !== null')
            browser.choose_file(upload, file)
            browser.wait(f'document.body.innerText.includes("{message}")')
        assert browser.outside == set()
    finally:
        browser.close()


def choose_detector(browser: Chromium, name: str) -> None:
    """Pick ``name`` in the drop-down labelled Detector."""
    browser.click('document.querySelector("input[aria-label=Detector]")')
    browser.click(f'[...document.querySelectorAll("[role=option]")].find(o => o.innerText.trim().endsWith("{name}"))')
