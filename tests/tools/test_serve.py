"""The page of ``facealign serve``: its limits, a server as others meet it, and itself in headless Chromium."""

from __future__ import annotations

import http.client
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
from dataclasses import dataclass
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
    assert serve.read_upload(photo(tmp_path / 'good.png')).shape == (150, 200, 3)
    for side in (60_000, 8000):
        with pytest.raises(FaceAlignError, match='million pixels'):
            serve.read_upload(bomb(tmp_path / 'bomb.png', side))
    (tmp_path / 'text.png').write_text('text')
    with pytest.raises(FaceAlignError, match='not an image'):
        serve.read_upload(tmp_path / 'text.png')
    with pytest.raises(FaceAlignError, match='^gone.png: is no longer kept'):
        serve.read_upload(tmp_path / 'gone.png')
    monkeypatch.setattr(serve, 'MAX_BYTES', 100)
    with pytest.raises(FaceAlignError, match='larger than'):
        serve.read_upload(tmp_path / 'good.png')


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
def run_cli():
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = [sys.executable, '-m', 'facealign.cli', *arguments]
        environment = {**os.environ, 'PYTHONPATH': str(ROOT / 'projects')}
        return subprocess.run(code, capture_output=True, text=True, env=environment, timeout=100)

    return run


@pytest.fixture
def chromium() -> str:
    program = find_chromium()
    if program is None:
        pytest.skip('needs Chromium: apt-get install chromium')
    return program


@dataclass
class Server:
    """A page in a process of its own."""

    port: int
    process: subprocess.Popen
    temporary: Path
    log: Path

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.port}/'

    @property
    def lines(self) -> list[str]:
        """What it wrote, after the line with its address."""
        return self.log.read_text().splitlines()[1:]

    def files(self) -> list[Path]:
        return [path for path in self.temporary.rglob('*') if path.is_file()]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        connection.request(method, path, body, {name.replace('_', '-'): value for name, value in headers.items()})
        response = connection.getresponse()
        answer = response.status, response.read().decode()
        connection.close()
        return answer

    def upload(self, file: Path) -> str:
        """Its path on the server."""
        head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{file.name}"\r\n\r\n'.encode()
        form = {'content_type': 'multipart/form-data; boundary=x', 'origin': self.url.rstrip('/')}
        status, text = self.ask('POST', '/gradio_api/upload', head + file.read_bytes() + b'\r\n--x--\r\n', **form)
        assert status == 200, text
        [path] = json.loads(text)
        return path

    def align(self, path: str, detector: object = 'whole', session: str = 'test') -> dict:
        """The last message about a request to find the landmarks in an upload."""
        file = {'path': path, 'meta': {'_type': 'gradio.FileData'}}
        config = json.loads(self.ask('GET', '/config')[1])
        number = next(call['id'] for call in config['dependencies'] if ['upload'] in [[t[1]] for t in call['targets']])
        data = [file, None, 'tiny', detector, False]
        body = json.dumps({'fn_index': number, 'session_hash': session, 'data': data}).encode()
        status, text = self.ask('POST', '/gradio_api/queue/join', body, content_type='application/json')
        if status != 200:
            return {'status': status, 'text': text}
        stream = urllib.request.urlopen(f'{self.url}gradio_api/queue/data?session_hash={session}', timeout=60)
        messages = [json.loads(line[6:]) for line in stream if line.startswith(b'data: ')]
        return next(message for message in messages if message['msg'] == 'process_completed')

    def end(self, number: int = signal.SIGINT) -> int:
        """Stop it by a signal; nothing is left then."""
        self.process.send_signal(number)
        status = self.process.wait(60)
        assert list(self.temporary.iterdir()) == [], 'something was kept'
        assert all(line.startswith('page: ') for line in self.lines), self.lines
        return status


def start(make_model, folder: Path, setting: str = 'pass', wait: bool = True) -> Server:
    """A page on a free port; ``setting`` is code that is run before."""
    pytest.importorskip('gradio', reason='needs Gradio: pip install "facealign[serve]"')
    (folder / 'models').mkdir(parents=True)
    (folder / 'temporary').mkdir()
    shutil.copy(make_model(), folder / 'models' / 'tiny.onnx')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    code = (
        f'from pathlib import Path; from facealign.inference import serve; {setting}; '
        f'serve.launch({port}, open_browser=False, models=Path({str(folder / "models")!r}))'
    )
    environment = {**os.environ, 'PYTHONPATH': str(ROOT / 'projects'), 'TMPDIR': str(folder / 'temporary')}
    with open(folder / 'log', 'w') as log:
        # A shell's background jobs ignore SIGINT, and so would the server that a test run among them starts.
        process = subprocess.Popen(
            [sys.executable, '-c', code],
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    server = Server(port, process, folder / 'temporary', folder / 'log')
    if wait:
        wait_for(server.url, process, server.log)
    return server


@pytest.fixture(scope='module')
def page(make_model, tmp_path_factory: pytest.TempPathFactory):
    server = start(make_model, tmp_path_factory.mktemp('page'))
    try:
        yield server
        assert server.end() == 0
    finally:
        server.process.kill()


def wait_for(url: str, process: subprocess.Popen, log: Path) -> str:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=10).close()
            return url
        except OSError:
            time.sleep(0.3)
    raise AssertionError(log.read_text())


def test_requests_of_others_are_refused(page: Server, tmp_path: Path) -> None:
    before = len(page.lines)
    assert page.ask('GET', '/', host='evil.example')[0] == 403
    assert page.ask('GET', '/', host=f'localhost:{page.port}')[0] == 200
    refused = [
        page.ask('GET', '/gradio_api/queue/data?session_hash=x', origin='http://evil.example'),
        page.ask('GET', '/gradio_api/heartbeat/x', host=f'evil.example:{page.port}'),
        page.ask('POST', '/gradio_api/upload', b'--x', origin='http://evil.example'),
        page.ask('GET', '/gradio_api/file=/etc/passwd'),
        page.ask('GET', '/x', upgrade='websocket', connection='upgrade', host='evil.example'),
    ]
    assert {status for status, _ in refused} == {403}
    assert page.align('/etc/passwd')['status'] == 403
    assert page.align('http://evil.example/a.png')['status'] == 403
    lines = page.lines[before:]
    assert len(lines) == 8 and all(line.startswith('page: refused ') for line in lines)
    with socket.socket() as outside:  # bound to this machine only
        outside.settimeout(2)
        address = socket.gethostbyname(socket.gethostname())
        if not address.startswith('127.'):
            assert outside.connect_ex((address, page.port)) != 0


def test_uploads_that_are_no_photo_end_in_one_line(page: Server, tmp_path: Path) -> None:
    before = len(page.lines)
    (tmp_path / 'text.png').write_text('text')
    (tmp_path / 'empty.png').write_bytes(b'')
    (tmp_path / 'jpeg2000.png').write_bytes(b'\0\0\0\x0cjP  \r\n\x87\n' + bytes(100))
    files = [tmp_path / name for name in ('text.png', 'empty.png', 'jpeg2000.png')]
    check_refused(page, [*files, bomb(tmp_path / 'bomb.png')])
    assert page.lines[before:] == []
    # Too large to be received, and a request that is not the page's: a number where a detector's name belongs.
    assert page.ask('POST', '/gradio_api/upload', b'', content_length=str(50 << 20))[0] == 413
    assert not page.align(page.upload(photo(tmp_path / 'good.png')), detector=3)['success']
    assert all(line.startswith('page: ') for line in page.lines[before:]) and len(page.lines) <= before + 2


def test_hostile_images_of_the_shared_cases(page: Server, shared: Path) -> None:
    before = len(page.lines)
    check_refused(page, sorted(path for path in (shared / 'cases' / '21-images').iterdir() if path.name != 'cmd'))
    assert page.lines[before:] == []


def check_refused(page: Server, files: list[Path]) -> None:
    """Each ends in one line that names it, and the page lives on."""
    for file in files:
        message = page.align(page.upload(file))
        assert not message['success']
        assert message['output']['error'].startswith(f'{file.name}: ') and '\n' not in message['output']['error']
    assert page.ask('GET', '/')[0] == 200


@pytest.mark.skipif(not hasattr(signal, 'SIGHUP'), reason='signals of Unix')
def test_nothing_is_kept_however_it_ends(make_model, tmp_path: Path) -> None:
    """Two side by side, which forget at once; one hangs up, the other is terminated while windows are open."""
    quick = 'from facealign.inference.serve import scratch; scratch.KEEP, scratch.EVERY, serve._HEAD = 1, 0.2, 1'
    servers = [start(make_model, tmp_path / name, quick, wait=False) for name in 'ab']
    try:
        for server in servers:
            wait_for(server.url, server.process, server.log)
        first = servers[0]
        with socket.create_connection(('127.0.0.1', first.port), timeout=60) as slow:
            slow.sendall(b'POST /gradio_api/upload HTTP/1.1\r\nHost: local')
            message = first.align(first.upload(photo(tmp_path / 'photo.png')))
            assert message['success'], message
            assert slow.recv(1) == b'', 'half a request was waited for'
        end = time.monotonic() + 60
        while first.files() and time.monotonic() < end:
            time.sleep(0.1)
        assert first.files() == []
        for server, number in zip(servers, (signal.SIGHUP, signal.SIGTERM), strict=True):
            window = urllib.request.urlopen(f'{server.url}gradio_api/heartbeat/open', timeout=60)
            server.upload(photo(tmp_path / 'photo.png'))
            assert server.end(number) == 128 + signal.SIGTERM
            window.close()
    finally:
        for server in servers:
            server.process.kill()


@pytest.mark.parametrize(
    ('arguments', 'named'),
    [(('--port', '99999'), 'port 99999 of 127.0.0.1'), (('--host', '\x1b[2Jno such host'), 'of \\x1b[2Jno such host')],
)
def test_where_nothing_can_be_opened(run_cli, arguments: tuple[str, ...], named: str) -> None:
    done = run_cli('serve', '--no-browser', *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith('error: serve: port ') and done.stderr.count('\n') == 1 and named in done.stderr


def test_a_port_that_is_taken(run_cli) -> None:
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        done = run_cli('serve', '--no-browser', '--port', str(port))
    assert done.returncode == 2 and f'port {port} of 127.0.0.1 cannot be used (Address already in use)' in done.stderr


def test_the_page_in_chromium(chromium: str, page: Server, tmp_path: Path) -> None:
    browser = Chromium(chromium, tmp_path / 'profile')
    try:
        browser.call('Page.enable')
        browser.call('Page.navigate', url=page.url)
        upload = '#upload input[type=file]'
        browser.wait(f'document.querySelector("{upload}") !== null')
        choose_detector(browser, 'whole')
        browser.choose_file(upload, photo(tmp_path / 'photo.png'))
        browser.wait('document.querySelector("#found")?.innerText.includes("1 face found")')
        assert browser.wait('document.querySelector("#drawn img")?.naturalWidth') == 200
        assert 'contour' in browser.evaluate('document.body.innerText')
        saved = tmp_path / 'saved'
        browser.call('Browser.setDownloadBehavior', behavior='allow', downloadPath=str(saved))
        record = json.loads(save(browser, 'download', saved / 'landmarks.json'))
        assert (record['model'], record['markup'], len(record['faces'][0]['points'])) == ('tiny', 'ibug68', 68)
        image = cv2.imdecode(np.frombuffer(save(browser, 'picture', saved / 'landmarks.png'), np.uint8), 1)
        assert image.shape == (150, 200, 3)
        hostile = tmp_path / '<img src=x onerror="document.title=1">.png'
        hostile.write_text('text')
        for file, message in ((bomb(tmp_path / 'bomb.png'), 'million pixels'), (hostile, 'not an image')):
            browser.evaluate('document.querySelector("#upload button[aria-label]")?.click()')
            browser.wait(f'document.querySelector("{upload}") !== null')
            browser.choose_file(upload, file)
            browser.wait(f'document.body.innerText.includes("{message}")')
        assert browser.evaluate('document.title') == 'facealign'
        assert browser.outside == set()
    finally:
        browser.close()


def save(browser: Chromium, button: str, file: Path) -> bytes:
    """What is saved by a click, once it is whole."""
    browser.click(f'document.querySelector("#{button}:not([disabled])")')
    end = time.monotonic() + 60
    while not file.is_file() and time.monotonic() < end:
        time.sleep(0.1)
    return file.read_bytes()


def choose_detector(browser: Chromium, name: str) -> None:
    """Pick ``name`` in the drop-down labelled Detector; while the page is built up, a click may miss it."""
    end = time.monotonic() + 90
    while not browser.evaluate('document.querySelector("[role=option]") !== null') and time.monotonic() < end:
        browser.click('document.querySelector("input[aria-label=Detector]")')
        time.sleep(0.5)
    browser.click(f'[...document.querySelectorAll("[role=option]")].find(o => o.innerText.trim().endsWith("{name}"))')
