"""What the page's middleware lets through, in what bounds, and what it writes about the rest."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from facealign.inference.serve.guard import Guard, Limits
from facealign.inference.serve.hosts import Hosts
from facealign.inference.serve.scratch import OVERHEAD, Scratch

LIMITS = Limits(upload=1000, request=500, total=2000 + 3 * OVERHEAD, pause=0.3, whole=0.6)
UPLOAD, JOIN = '/gradio_api/upload', '/gradio_api/queue/join'


class Gradio:
    """Stands for it: takes a body and answers with its size."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.broken_off = 0
        self.error: Exception | None = None
        self.status = 200

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.error is not None:
            raise self.error
        body = b''
        while True:
            message = await receive()
            if message['type'] == 'http.disconnect':
                self.broken_off += 1
                await send({'type': 'http.response.start', 'status': 500, 'headers': []})
                raise ConnectionError('left')
            body += message['body']
            if not message.get('more_body'):
                break
        self.bodies.append(body)
        await send({'type': 'http.response.start', 'status': self.status, 'headers': []})
        await send({'type': 'http.response.body', 'body': b'%d' % len(body)})


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    scratch = Scratch()
    yield scratch
    scratch.close()


@pytest.fixture
def gradio() -> Gradio:
    return Gradio()


@pytest.fixture
def guard(gradio: Gradio, scratch: Scratch) -> Guard:
    return Guard(gradio, Hosts.of('127.0.0.1'), scratch, LIMITS)


def scope_of(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    headers = {'host': 'localhost:7860', **headers}
    raw = [(name.encode(), value.encode('latin-1')) for name, value in headers.items()]
    return {'type': 'http', 'method': method, 'path': path, 'headers': raw, 'client': ('127.0.0.1', 1)}


async def ask(
    guard: Guard,
    method: str,
    path: str,
    body: Iterable[bytes | float] = (),
    wait: Callable[[], Awaitable[Any]] | None = None,
    **headers: str,
) -> tuple[int, str]:
    """Status and text of the answer; a number in ``body`` is a pause in seconds."""
    pieces = list(body) or [b'']
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        while pieces and isinstance(pieces[0], float):
            await asyncio.sleep(pieces.pop(0))
        if not pieces:
            await asyncio.sleep(60)
        return {'type': 'http.request', 'body': pieces.pop(0), 'more_body': bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await guard(
        scope_of(method, path, {name.replace('_', '-'): value for name, value in headers.items()}), receive, send
    )
    assert not sent[-1].get('more_body'), 'no end'
    return sent[0]['status'], b''.join(message.get('body', b'') for message in sent[1:]).decode()


def answer(*args: Any, **options: Any) -> tuple[int, str]:
    return asyncio.run(ask(*args, **options))


def test_what_the_page_asks_for_is_passed_on(guard: Guard, scratch: Scratch, capsys) -> None:
    origin = 'http://localhost:7860'
    assert answer(guard, 'GET', '/') == (200, '0')
    assert answer(guard, 'GET', f'/gradio_api/file={scratch.path}/a/photo.png') == (200, '0')
    assert answer(guard, 'POST', UPLOAD, [b'a' * 600, b'b' * 400], origin=origin) == (200, '1000')
    assert answer(guard, 'POST', UPLOAD, [b'a' * 600], content_length='600') == (200, '600')
    assert answer(guard, 'POST', JOIN, [b'{"da', b'ta": []}'], content_length='12') == (200, '12')
    assert capsys.readouterr().err == ''


REFUSED = [
    ('GET', '/', {'host': 'evil.example'}, 403),
    ('GET', '/gradio_api/queue/data', {'origin': 'http://evil.example'}, 403),
    ('POST', UPLOAD, {'origin': 'null'}, 403),
    ('GET', '/gradio_api/file=/etc/passwd', {}, 403),
    ('GET', '/gradio_api/file=http://169.254.169.254/latest', {}, 403),
    ('HEAD', '/gradio_api/file=/etc/passwd', {}, 403),
    ('GET', '/gradio_api/file//etc/passwd', {}, 403),
    ('GET', '/gradio_api/proxy=http://127.0.0.1:1/', {}, 404),
    ('POST', '/gradio_api/vibe-edit', {}, 404),
    ('POST', '/gradio_api/run/predict', {}, 404),
    ('PUT', '/', {}, 404),
    ('DELETE', UPLOAD, {}, 404),
    ('POST', UPLOAD, {'content-length': '1001'}, 413),
    ('POST', UPLOAD, {'content-length': '9' * 5000}, 413),
    ('POST', JOIN, {'content-length': '501'}, 413),
]


@pytest.mark.parametrize(('method', 'path', 'headers', 'status'), REFUSED)
def test_the_rest_is_refused_in_one_line(
    guard: Guard, gradio: Gradio, capsys, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert answer(guard, method, path, **headers)[0] == status
    error = capsys.readouterr().err
    assert error.startswith(f'page: refused {method} {path}') and error.count('\n') == 1
    assert gradio.bodies == []


@pytest.mark.parametrize(
    ('body', 'status'),
    [
        (b'{"data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]}', 403),
        (b'{"data": [[{"url": "x", "path": "https://evil.example/a.png"}]]}', 403),
        (b'{"data": [{"path": {"path": "../../etc/passwd"}}]}', 403),
        (b'{', 400),
        (b'\xff', 400),
        (b'[' * 400, 400),
    ],
)
def test_requests_name_uploads_only(guard: Guard, gradio: Gradio, capsys, body: bytes, status: int) -> None:
    assert answer(guard, 'POST', JOIN, [body])[0] == status
    assert capsys.readouterr().err.count('\n') == 1
    assert gradio.bodies == []


def test_an_upload_is_kept_until_its_request_is_answered(guard: Guard, gradio: Gradio, scratch: Scratch) -> None:
    path = scratch.path / 'photo.png'
    path.write_bytes(b'photo')
    body = json.dumps({'data': [{'path': str(path)}]}).encode()
    assert answer(guard, 'POST', JOIN, [body])[0] == 200
    assert scratch._waiting == {str(path): 1}
    scratch.answered(path)
    gradio.status = 503  # the line is full
    assert answer(guard, 'POST', JOIN, [body])[0] == 503
    assert scratch._waiting == {}


def test_bodies_end_in_time_and_size(guard: Guard, gradio: Gradio, capsys) -> None:
    assert answer(guard, 'POST', UPLOAD, [b'a', 5.0, b'b'])[0] == 408
    assert answer(guard, 'POST', UPLOAD, [part for _ in range(9) for part in (b'a', 0.15)] + [b'b'])[0] == 408
    assert answer(guard, 'POST', JOIN, [b'{', 5.0, b'}'])[0] == 408
    assert answer(guard, 'POST', UPLOAD, [b'a' * 600] * 2)[0] == 413
    assert answer(guard, 'POST', JOIN, [b'a' * 300] * 2)[0] == 413
    assert gradio.bodies == [] and gradio.broken_off == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5 and all(line.startswith('page: refused POST') for line in lines)


def test_all_uploads_together_are_bounded(guard: Guard, scratch: Scratch) -> None:
    async def many() -> list[int]:
        answers = [ask(guard, 'POST', UPLOAD, [0.1, b'a'], content_length='1000') for _ in range(5)]
        return [status for status, _ in await asyncio.gather(*answers)]

    (scratch.path / 'waiting').write_bytes(b'a' * 500)
    assert sorted(asyncio.run(many())) == [200, 503, 503, 503, 503]
    (scratch.path / 'waiting').unlink()
    assert sorted(asyncio.run(many())) == [200, 200, 503, 503, 503]
    for number in range(3):  # empty files count as well
        (scratch.path / f'{number}').write_bytes(b'')
    assert asyncio.run(many()) == [503] * 5


def test_an_unexpected_error_is_one_line(guard: Guard, gradio: Gradio, capsys) -> None:
    gradio.error = AttributeError("'NoneType' object\nhas \x1b[31m no attribute")
    status, text = answer(guard, 'GET', '/\x1b[2J\n')
    assert (status, text) == (500, 'This request could not be worked on\n')
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and '\x1b' not in error
    assert 'AttributeError' in error and 'test_guard.py' in error


def test_no_websocket(guard: Guard, capsys) -> None:
    sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {**scope_of('GET', '/x', {}), 'type': 'websocket'}
    asyncio.run(guard(scope, None, send))
    assert sent == [{'type': 'websocket.close', 'code': 1008}]
    assert capsys.readouterr().err == 'page: refused websocket /x\n'


def test_open_streams_end_with_the_server(scratch: Scratch) -> None:
    left = []

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        await send({'type': 'http.response.body', 'body': b'alive', 'more_body': True})
        left.append(await receive())

    async def run() -> None:
        guard = Guard(stream, Hosts.of('127.0.0.1'), scratch, LIMITS)
        task = asyncio.create_task(ask(guard, 'GET', '/gradio_api/heartbeat/a'))
        await asyncio.sleep(0.1)
        assert left == []
        guard.close()
        assert await asyncio.wait_for(task, 10) == (200, 'alive')

    asyncio.run(run())
    assert left == [{'type': 'http.disconnect'}]


def test_lines_are_short(guard: Guard, capsys) -> None:
    assert answer(guard, 'GET', f'/gradio_api/file={"a" * 5000}')[0] == 403
    assert len(capsys.readouterr().err) < 320
